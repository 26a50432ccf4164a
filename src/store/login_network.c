/* SPDX-License-Identifier: ISC */
#include "store/login_network.h"

static err put(struct db *db, uint64_t account, str network, uint64_t now)
{
	struct query q = db_query(db, "INSERT INTO login_network (account, network, at) VALUES (?, ?, ?)"
	                              " ON CONFLICT (account, network) DO UPDATE SET at = excluded.at");

	query_put_num(&q, account);
	query_put_str(&q, network);
	query_put_num(&q, now);
	return query_run(&q);
}

static err drop_oldest(struct db *db, uint64_t account)
{
	struct query q = db_query(db, "DELETE FROM login_network WHERE account = ? AND network NOT IN (SELECT network"
	                              " FROM login_network WHERE account = ? ORDER BY at DESC LIMIT ?)");

	query_put_num(&q, account);
	query_put_num(&q, account);
	query_put_num(&q, LOGIN_NETWORKS_MAX);
	return query_run(&q);
}

err login_network_note(struct db *db, uint64_t account, str network, uint64_t now)
{
	err e = put(db, account, network, now);

	return e == OK ? drop_oldest(db, account) : e;
}

err login_network_list(struct db *db, struct credential_reply *r, struct arena *a)
{
	struct query q = db_query(db, "SELECT network, at FROM login_network WHERE account = ? ORDER BY at");

	r->networks = arena_array(a, LOGIN_NETWORKS_MAX, sizeof(*r->networks));
	if (r->networks == NULL)
		return E_MEMORY;
	query_put_num(&q, r->account);
	while (r->networks_n < LOGIN_NETWORKS_MAX && query_row(&q)) {
		struct login_network *n = &r->networks[r->networks_n++];

		n->network = arena_str(a, query_str(&q));
		n->at = query_num(&q);
	}
	return query_end(&q);
}
