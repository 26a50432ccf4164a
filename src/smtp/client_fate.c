/* SPDX-License-Identifier: ISC */
#include "smtp/client_fate.h"

#include "base/date.h"
#include "base/encode.h"
#include "smtp/client_state.h"

enum { TEXT_MAX = 2048 };

static const struct reply_limits fate_limits = {
	.line = FATE_LINE_MAX, .lines = FATE_LINES_MAX, .octets = (size_t)4 << 20};

static const struct {
	str name;
	enum fate_state state;
} states[] = {
	{STR("queued"), FATE_QUEUED},   {STR("mailbox"), FATE_MAILBOX}, {STR("relayed"), FATE_RELAYED},
	{STR("delayed"), FATE_DELAYED}, {STR("failed"), FATE_FAILED},   {STR("discarded"), FATE_DISCARDED},
	{STR("held"), FATE_HELD},
};

static err malformed(const char *what)
{
	return err_note(E_SYNTAX, "the server's report is malformed: %s", what);
}

static err parse_state(str word, uint64_t *out)
{
	for (size_t i = 0; i < ARRAY_LEN(states); i++) {
		if (!str_equal_nocase(word, states[i].name))
			continue;
		*out = states[i].state;
		return OK;
	}
	return malformed("no state");
}

static err parse_text(str xtext, struct arena *a, str *out)
{
	BUF(text, TEXT_MAX);

	if (xtext_decode(&text, xtext) != OK)
		return malformed("a text");
	*out = arena_str(a, buf_str(&text));
	return OK;
}

static err parse_time(str value, uint64_t *out)
{
	int64_t usec;

	if (!date_parse_rfc3339(value, &usec) || usec < 0)
		return malformed("a time");
	*out = (uint64_t)usec;
	return OK;
}

/* NAME=value; a name that is not known is passed over. */
static err parse_word(str word, struct fate *out, struct arena *a)
{
	const struct {
		str name;
		str *text;
		uint64_t *time;
	} fields[] = {
		{STR("AT"), NULL, &out->at},
		{STR("DUE"), NULL, &out->due},
		{STR("STATUS"), &out->status, NULL},
		{STR("HOST"), &out->host, NULL},
		{STR("SECURITY"), &out->security, NULL},
		{STR("ORIGINAL"), &out->original, NULL},
		{STR("REPLY"), &out->reply, NULL},
	};
	str name, value;

	str_cut(word, '=', &name, &value);
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (str_equal_nocase(name, fields[i].name))
			return fields[i].text != NULL ? parse_text(value, a, fields[i].text)
			                              : parse_time(value, fields[i].time);
	return OK;
}

static err parse_fate(str line, struct fate *out, struct arena *a)
{
	str word;
	err e = parse_state(str_word(&line), &out->state);

	if (e == OK)
		e = parse_text(str_word(&line), a, &out->address);
	if (e == OK && out->address.n == 0)
		e = malformed("no address");
	while (e == OK && (word = str_word(&line)).n > 0)
		e = parse_word(word, out, a);
	return e;
}

/* VERSION=<n> FINAL=<0 or 1> */
static err parse_version(str line, struct fate_reply *out)
{
	str version = str_word(&line), final = str_word(&line);

	if (!str_starts_nocase(version, STR("VERSION=")) || !str_starts_nocase(final, STR("FINAL=")) ||
	    !str_to_u64(str_drop(version, sizeof("VERSION=") - 1), UINT64_MAX, &out->version) ||
	    !str_to_u64(str_drop(final, sizeof("FINAL=") - 1), 1, &out->final))
		return malformed("no version");
	return OK;
}

static size_t count_lines(str lines)
{
	size_t n = 0;
	str line;

	while (reply_next_line(&lines, &line))
		n++;
	return n;
}

err fate_parse(str lines, struct fate_reply *out, struct arena *a)
{
	size_t n = count_lines(lines);
	str line;

	*out = (struct fate_reply){0};
	if (n < 2 || !reply_next_line(&lines, &line))
		return malformed("too short");
	err e = parse_version(line, out);
	out->fates = arena_array(a, n - 2, sizeof(*out->fates));
	while (e == OK && out->fates != NULL && out->fates_n < n - 2 && reply_next_line(&lines, &line))
		e = parse_fate(line, &out->fates[out->fates_n++], a);
	if (e == OK && a->full)
		e = err_note(E_LIMIT, "the server's report is too long");
	if (e == OK && (!reply_next_line(&lines, &line) || !str_equal_nocase(str_trim(line), STR("End"))))
		e = malformed("it does not end");
	return e;
}

/* Ids go into a command: nothing but letters and digits. */
static bool is_id(str id)
{
	uint64_t n;

	return id_parse(id, &n);
}

err smtp_client_fate(struct smtp_client *c, str id, uint64_t seen, uint64_t wait_ms, struct fate_reply *out,
                     struct arena *a)
{
	uint64_t wait = wait_ms / 1000 + (wait_ms % 1000 > 0);

	*out = (struct fate_reply){0};
	if (!is_id(id))
		return err_note(E_SYNTAX, "this is no id of a message");
	if ((c->offer.extensions & SMTP_EXT_XFATE) == 0)
		return err_note(E_PERM, "the server does not tell what becomes of a message");
	if (wait > FATE_WAIT_MAX)
		wait = FATE_WAIT_MAX;
	err e = client_begin_idle(c);
	if (e != OK)
		return e;
	stream_printf(c->stream, "XFATE " STR_FMT " SEEN=%llu WAIT=%llu\r\n", STR_ARG(id), (unsigned long long)seen,
	              (unsigned long long)wait);
	e = client_hear(c, &fate_limits, c->command_time + (nsec)wait * NSEC_PER_SEC);
	if (e == OK)
		e = client_judge(c, 2);
	if (e == E_PERM && c->reply.code == 550)
		return err_note(E_NOT_FOUND, "the server knows no such message of ours");
	return e == OK ? fate_parse(buf_str(&c->lines), out, a) : e;
}
