/* SPDX-License-Identifier: ISC */
#include "store/envelope.h"

enum { DELIVERED_TO_MAX = 16 };

#define FIELD_OF_NUM(f)        {#f, FIELD_NUM, offsetof(self, f), 0, NULL},
#define FIELD_OF_STR(f)        {#f, FIELD_STR, offsetof(self, f), 0, NULL},
#define FIELD_OF_LIST(type, f) {#f, FIELD_LIST, offsetof(self, f), offsetof(self, f##_n), &record_##type},
#define COUNT(...)             +1

#define RECORD_TABLE(r)                                                                       \
	static const struct field *fields_##r(void)                                           \
	{                                                                                     \
		typedef struct r self UNUSED;                                                 \
		static const struct field table[] = {                                         \
			FIELDS_##r(FIELD_OF_NUM, FIELD_OF_STR, FIELD_OF_LIST, COUNT, COUNT)}; \
		return table;                                                                 \
	}                                                                                     \
	const struct record record_##r = {#r, sizeof(struct r), fields_##r,                   \
	                                  0 FIELDS_##r(COUNT, COUNT, COUNT, COUNT, COUNT)};

RECORD_TABLE(envelope_rcpt)
RECORD_TABLE(envelope)
RECORD_TABLE(tombstone)
RECORD_TABLE(tombstones)

static err unpack(const struct record *r, str packed, void *out, struct arena *a)
{
	struct cursor c = cursor_of(packed);
	struct record_fds none = {0};

	return record_unpack(r, &c, out, a, &none);
}

err envelope_unpack(str packed, struct envelope *out, struct arena *a)
{
	err e = unpack(&record_envelope, packed, out, a);

	if (e == OK && out->origin_n != 1)
		return err_note(E_SYNTAX, "an envelope without its origin");
	return e;
}

err tombstones_unpack(str packed, struct tombstones *out, struct arena *a)
{
	return unpack(&record_tombstones, packed, out, a);
}

/* --- prefix --- */

struct addresses {
	str seen[DELIVERED_TO_MAX];
	size_t n;
};

static void add_delivered_to(struct addresses *done, str address, struct buf *out)
{
	if (address.n == 0 || done->n == DELIVERED_TO_MAX)
		return;
	for (size_t i = 0; i < done->n; i++)
		if (str_equal_nocase(done->seen[i], address))
			return;
	done->seen[done->n++] = address;
	buf_puts(out, "Delivered-To: ");
	buf_put(out, address);
	buf_puts(out, "\r\n");
}

str envelope_prefix(const struct envelope *e, uint64_t mailbox, struct arena *a)
{
	BUF(out, 64 << 10);
	struct addresses done = {.n = 0};

	buf_puts(&out, "Return-Path: <");
	buf_put(&out, e->sender);
	buf_puts(&out, ">\r\n");
	/* The newest trace field stands first: the account's own address, then those that led to it. */
	for (size_t i = 0; i < e->rcpts_n; i++) {
		if (e->rcpts[i].mailbox != mailbox)
			continue;
		add_delivered_to(&done, e->rcpts[i].address, &out);
		add_delivered_to(&done, e->rcpts[i].original, &out);
	}
	return arena_str(a, buf_str(&out));
}
