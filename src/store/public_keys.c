/* SPDX-License-Identifier: ISC */
#include "store/public_keys.h"

#include "store/admin.h"

#define MEMORY_MAX (16u << 20)

void public_keys_free(struct public_keys *k)
{
	arena_free(&k->memory);
	*k = (struct public_keys){0};
}

err store_certify(struct store *s, const struct certify_request *q)
{
	struct public_keys fresh = {.memory = ARENA_INIT(MEMORY_MAX)};

	fresh.list = arena_array(&fresh.memory, q->domain_keys_n, sizeof(*fresh.list));
	for (size_t i = 0; fresh.list != NULL && i < q->domain_keys_n; i++) {
		const struct domain_key *k = &q->domain_keys[i];

		fresh.list[fresh.n++] = (struct domain_key){.domain = arena_str(&fresh.memory, k->domain),
		                                            .selector = arena_str(&fresh.memory, k->selector),
		                                            .algorithm = arena_str(&fresh.memory, k->algorithm),
		                                            .key = k->key,
		                                            .created = k->created,
		                                            .record = arena_str(&fresh.memory, k->record)};
	}
	if (fresh.memory.full) {
		public_keys_free(&fresh);
		return err_note(E_MEMORY, "no memory for the keys of domains");
	}
	public_keys_free(&s->public_keys);
	s->public_keys = fresh;
	return OK;
}

err dns_keys(struct admin *x)
{
	const struct public_keys *keys = &x->store->public_keys;
	uint64_t told = admin_resume(x);

	for (; told < keys->n; told++) {
		const struct domain_key *k = &keys->list[told];
		struct row *row = admin_full(x) ? NULL : admin_row(x);

		if (row == NULL) {
			admin_more(x, told);
			return OK;
		}
		admin_str(x, row, "domain", k->domain);
		admin_str(x, row, "selector", k->selector);
		admin_str(x, row, "algorithm", k->algorithm);
		admin_time(x, row, "created", k->created);
		admin_str(x, row, "record", k->record);
	}
	return OK;
}
