/* SPDX-License-Identifier: ISC */
#include "mail/inspect.h"

#include "base/map.h"
#include "mail/address.h"
#include "mail/header.h"
#include "mail/submit.h"

/* Texts that are kept beside the message, for people who follow it. */
enum { MESSAGE_ID_MAX = 256, SUBJECT_MAX = 256, KEY_ARENA_MAX = 256 << 10 };

struct look {
	const struct inspect_request *request;
	struct inspect_reply *reply;
	struct arena *arena;
	uint64_t fields, received, delivered;
	bool delivered_here_before;
	struct map
		rcpts; /* by key, once it is needed: as many Delivered-To as hops must not cost as many looks at each recipient */
	bool has_rcpts;
};

/* At most `max` octets, cut between characters. */
static str cut(str s, size_t max)
{
	s = str_take(s, s.n > max ? max : s.n);
	for (size_t i = 0; i < 3 && !str_is_utf8(s) && s.n == max; i++)
		s.n--;
	return s;
}

/* The value as one line of text: what could steer a terminal or end a line becomes '?'. A field may be as long as the
 * message: no more of it is unfolded than surely suffices, as each line end has a blank behind it. */
static str plain(struct arena *a, str value, size_t max)
{
	return arena_line(a, cut(header_unfold(a, str_take(str_trim(value), 4 * max)), max), '?');
}

/* What an address is compared by; as it is, in lower case, where it is none. */
static str key_of(struct arena *arena, str text)
{
	struct address a;
	str local, domain;

	if (address_parse(text, true, &a) != OK || address_key(arena, &a, &local, &domain) != OK)
		return arena_lower(arena, text);
	return arena_printf(arena, STR_FMT "@" STR_FMT, STR_ARG(local), STR_ARG(domain));
}

static err gather_rcpts(struct look *l)
{
	err e = OK;

	if (l->has_rcpts)
		return OK;
	map_init(&l->rcpts);
	l->has_rcpts = true;
	for (size_t i = 0; i < l->request->rcpts_n && e == OK; i++) {
		ARENA(arena, KEY_ARENA_MAX);
		e = map_put(&l->rcpts, key_of(&arena, l->request->rcpts[i].address), l);
	}
	return e;
}

static void look_at_delivered_to(struct look *l, str value)
{
	ARENA(arena, KEY_ARENA_MAX);

	l->delivered++;
	if (l->delivered_here_before || gather_rcpts(l) != OK)
		return;
	l->delivered_here_before = map_get(&l->rcpts, key_of(&arena, header_unfold(&arena, value))) != NULL;
}

/* RFC 8689 3: the field has this one value. */
static bool is_no(str value)
{
	return str_equal_nocase(str_trim(value), STR("No"));
}

static void look_at_field(struct look *l, const struct inspect_options *options, const struct header_field *f)
{
	l->fields++;
	if (str_equal_nocase(f->name, STR("Received")))
		l->received++;
	else if (str_equal_nocase(f->name, STR("Delivered-To")) && l->delivered <= options->hops)
		look_at_delivered_to(l, f->value);
	else if (str_equal_nocase(f->name, STR("Message-ID")) && l->reply->message_id.n == 0)
		l->reply->message_id = plain(l->arena, f->value, MESSAGE_ID_MAX);
	else if (str_equal_nocase(f->name, STR("Subject")) && l->reply->subject.n == 0)
		l->reply->subject = plain(l->arena, f->value, SUBJECT_MAX);
	else if (str_equal_nocase(f->name, STR("TLS-Required")) && is_no(f->value))
		l->reply->flags = MESSAGE_TLS_OPTIONAL;
}

static bool has_empty_line(str s)
{
	return str_contains(s, STR("\r\n\r\n")) || str_contains(s, STR("\n\n"));
}

/* Behind the fields stands neither an empty line nor the end of the message. Damage that mail in the world really
 * has is let through: no header at all, a folded line that lost its indentation (one word), an odd name before a
 * colon, a body that follows without an empty line. Anything else is several words of no field in the midst of a
 * header: where header and body part is then anybody's guess, and readers that guess differently are what attackers
 * look for. */
static bool header_is_broken(const struct look *l, str message, size_t fields_end)
{
	str rest = str_drop(message, fields_end);
	str line = str_trim(str_take(rest, str_find(rest, '\n')));

	if (l->fields == 0 || line.n == 0)
		return false;
	if (str_find(line, ':') < line.n || (str_find(line, ' ') == line.n && str_find(line, '\t') == line.n))
		return false;
	return has_empty_line(rest);
}

/* A text without a header: what is put in front of it must not run into it, least of all a first line that begins with a blank, which would go on what we say
 * ourselves. A line of blanks alone is such a one, and no empty line. */
static void end_header(const struct look *l, str message)
{
	struct inspect_reply *r = l->reply;

	if (l->fields == 0 && message.n > 0 && !str_starts(message, STR("\r\n")) && !str_starts(message, STR("\n")))
		r->headers = arena_printf(l->arena, STR_FMT "\r\n", STR_ARG(r->headers));
}

static void refuse(struct inspect_reply *reply, const char *status, const char *text)
{
	reply->code = E_PERM;
	reply->reply = 554;
	reply->status = str_from(status);
	reply->text = str_from(text);
}

err inspect_message(const struct inspect_request *request, const struct inspect_options *options,
                    struct inspect_reply *reply, struct arena *a)
{
	struct look l = {.request = request, .reply = reply, .arena = a};
	str message = request->body.bytes;
	struct header_field f;
	size_t at = 0;

	while (header_next(message, &at, &f))
		look_at_field(&l, options, &f);
	if (l.received > options->hops || l.delivered > options->hops)
		refuse(reply, "5.4.6", "Too many hops: the message goes round in a loop");
	else if (l.delivered_here_before)
		refuse(reply, "5.4.6", "The message was delivered to this address before: a loop");
	else if (header_is_broken(&l, message, at))
		refuse(reply, "5.6.0", "A line of the header is neither a field nor a continuation");
	else if ((request->flags & MESSAGE_SUBMISSION) != 0)
		submit_message(request, options, reply, a);
	end_header(&l, message);
	if (l.has_rcpts)
		map_free(&l.rcpts);
	return a->full ? err_set(E_TEMP, 451, "4.3.1", "Out of memory for this message") : OK;
}
