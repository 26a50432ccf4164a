/* SPDX-License-Identifier: ISC */
/* STAT, LIST and UIDL (RFC 1939 5 and 7). */
#include <inttypes.h>

#include "pop3/session.h"

void pop3_stat(struct pop3 *s)
{
	struct maildrop_totals t = maildrop_totals(&s->drop);

	pop3_ok(s, "%zu %" PRIu64, t.messages, t.octets); /* nothing may follow the octets */
}

static void scan_listing(struct pop3 *s, const char *prefix, size_t index)
{
	stream_printf(s->stream, "%s%zu %" PRIu64 "\r\n", prefix, index + 1, s->drop.entries[index].size);
}

/* The same for ever: the store never gives a uid twice under one uidvalidity. */
static void unique_id_listing(struct pop3 *s, const char *prefix, size_t index)
{
	stream_printf(s->stream, "%s%zu %" PRIu64 ".%" PRIu64 "\r\n", prefix, index + 1, s->drop.uidvalidity,
	              s->drop.entries[index].uid);
}

typedef void (*listing)(struct pop3 *s, const char *prefix, size_t index);

static void one(struct pop3 *s, listing print)
{
	size_t index;

	if (maildrop_find(&s->drop, s->command.words[0], &index))
		print(s, "+OK ", index);
	else
		pop3_fail(s, NULL, "no such message");
}

static void all(struct pop3 *s, listing print)
{
	struct maildrop_totals t = maildrop_totals(&s->drop);

	pop3_ok(s, "%zu messages (%" PRIu64 " octets)", t.messages, t.octets);
	for (size_t i = 0; i < s->drop.n && stream_error(s->stream) == OK; i++)
		if (!s->drop.deleted[i])
			print(s, "", i);
	stream_put(s->stream, STR(".\r\n"));
}

static void list(struct pop3 *s, listing print)
{
	if (s->command.words_n > 0)
		one(s, print);
	else
		all(s, print);
}

void pop3_list(struct pop3 *s)
{
	list(s, scan_listing);
}

void pop3_uidl(struct pop3 *s)
{
	list(s, unique_id_listing);
}
