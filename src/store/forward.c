/* SPDX-License-Identifier: ISC */
#include "store/forward.h"

err forward_targets(struct db *db, uint64_t account, struct arena *a, struct forward_targets *out)
{
	struct query q = db_query(db, "SELECT target FROM forward WHERE account = ?");

	*out = (struct forward_targets){.address = arena_array(a, FORWARD_TARGETS_MAX, sizeof(str))};
	query_put_num(&q, account);
	while (!a->full && out->n < FORWARD_TARGETS_MAX && query_row(&q))
		out->address[out->n++] = arena_str(a, query_str(&q));
	err e = query_end(&q);
	return e == OK && a->full ? err_note(E_LIMIT, "no memory for what an account forwards to") : e;
}
