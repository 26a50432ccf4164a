/* SPDX-License-Identifier: ISC */
/* milter - the MTA's side of Sendmail's milter protocol, version 6. The whole dialogue is held when the message is here: connection, greeting, envelope, header, body, end.
 *
 * What one says of a single recipient counts for the message: SMTP has one reply for all of them.
 */
#include "base/encode.h"
#include "mail/header.h"
#include "scan/milter_edit.h"
#include "scan/milter_params.h"

enum { MACROS_MAX = 16, PROGRESS_MAX = 1000, TEXT_OCTETS_MAX = 400, FIELD_ROOM = 4096, PARAMS_MAX = 4096 };

struct dialogue {
	const struct program *p;
	struct program_answer *out;
	struct stream *stream;
	struct buf packet;
	struct milter_edits *edits;
	uint32_t actions, steps; /* as agreed */
	bool over;               /* it has said its last word */
	bool no_more_body;
};

/* --- what it answers --- */

static err refuse(struct dialogue *d, enum scan_action action, int reply, str status, str text)
{
	d->out->action = action;
	d->out->reply = reply;
	d->out->status = status;
	d->out->text = text;
	d->over = true;
	return OK;
}

static err malformed(const char *what)
{
	return err_note(E_SYNTAX, "it %s", what);
}

static bool is_status(str s, char class)
{
	return s.n >= 5 && s.n <= 9 && s.p[0] == class && s.p[1] == '.';
}

/* "550 5.7.1 text": what could be more than one line, or something else than a refusal, is none (a percent sign is doubled in the protocol). */
static err replycode(struct dialogue *d, str data)
{
	struct cursor c = cursor_of(data);
	str line = milter_string(&c), code, status, text;
	uint64_t reply = 0;

	str_cut(line, ' ', &code, &text);
	if (c.failed || str_has_control(line) || str_contains(line, STR("%")) || line.n > TEXT_OCTETS_MAX ||
	    code.n != 3 || !str_to_u64(code, 599, &reply) || reply < 400)
		return malformed("gave a malformed reply code");
	str rest = text;
	str_cut(text, ' ', &status, &rest);
	if (!is_status(status, code.p[0])) {
		status = reply >= 500 ? STR("5.7.1") : STR("4.7.1");
		rest = text;
	}
	rest = rest.n > 0 ? program_words(d->p->arena, rest, TEXT_OCTETS_MAX) : STR("Refused");
	return refuse(d, reply >= 500 ? SCAN_REJECT : SCAN_LATER, (int)reply, arena_str(d->p->arena, status), rest);
}

static err verdict(struct dialogue *d, const struct milter_packet *p)
{
	switch (p->kind) {
	case MILTER_CONTINUE:
		return OK;
	case MILTER_ACCEPT:
		d->over = true;
		return OK;
	case MILTER_SKIP_BODY:
		d->no_more_body = true;
		return OK;
	case MILTER_DISCARD:
		return refuse(d, SCAN_DISCARD, 0, STR(""), STR(""));
	case MILTER_REJECT:
		return refuse(d, SCAN_REJECT, 550, STR("5.7.1"), STR("Refused by a filter of this server"));
	case MILTER_TEMPFAIL:
	case MILTER_CONNECTION_FAIL:
	case MILTER_SHUTDOWN:
		return refuse(d, SCAN_LATER, 451, STR("4.7.1"), STR("A filter of this server asks to try again later"));
	case MILTER_REPLYCODE:
		return replycode(d, p->data);
	default:
		return malformed("sent a packet of an unknown kind");
	}
}

/* One answer; PROGRESS asks for patience, and has it until the deadline. At the end of the message changes come before it. */
static err hear(struct dialogue *d, bool end)
{
	struct milter_packet p;
	err e = OK;

	for (size_t i = 0; i < PROGRESS_MAX + MILTER_EDITS_MAX + (64 << 10); i++) {
		e = milter_get(d->stream, &d->packet, &p, d->p->deadline);
		if (e != OK)
			return e;
		if (p.kind == MILTER_PROGRESS)
			continue;
		e = end ? milter_edits_add(d->edits, &p) : E_NOT_FOUND;
		if (e == E_NOT_FOUND)
			return verdict(d, &p);
		if (e != OK)
			return e;
	}
	return err_note(E_LIMIT, "it has no end");
}

/* --- what it is told --- */

struct macro {
	const char *name;
	str value;
};

static void put_macros(struct dialogue *d, char command, const struct macro *macros, size_t n)
{
	str parts[1 + 2 * MACROS_MAX * 2];
	size_t used = 0;

	parts[used++] = str_make(&command, 1);
	for (size_t i = 0; i < n && i < MACROS_MAX; i++) {
		if (macros[i].value.n == 0)
			continue;
		parts[used++] = str_from(macros[i].name);
		parts[used++] = str_make("", 1);
		parts[used++] = macros[i].value;
		parts[used++] = str_make("", 1);
	}
	if (used > 1)
		milter_put(d->stream, MILTER_MACROS, parts, used);
}

/* Says it, unless it was not to be told (`not_told`), and hears the answer, unless there is none (`quiet`). */
static err tell(struct dialogue *d, char command, const str *parts, size_t n, uint32_t not_told, uint32_t quiet)
{
	if (d->over || (not_told != 0 && (d->steps & not_told) != 0))
		return OK;
	milter_put(d->stream, command, parts, n);
	if (quiet != 0 && (d->steps & quiet) != 0)
		return stream_error(d->stream);
	err e = stream_flush(d->stream);
	return e == OK ? hear(d, command == MILTER_BODY_END) : e;
}

#define ZERO str_make("", 1)

static err negotiate(struct dialogue *d)
{
	char numbers[12];
	struct milter_packet p;

	milter_number(MILTER_VERSION, numbers);
	milter_number(MILTER_MAY_ALL, numbers + 4);
	milter_number(MILTER_STEPS, numbers + 8);
	milter_put(d->stream, MILTER_OPTIONS, &(str){numbers, sizeof(numbers)}, 1);
	err e = stream_flush(d->stream);
	if (e == OK)
		e = milter_get(d->stream, &d->packet, &p, d->p->deadline);
	if (e != OK)
		return e;
	struct cursor c = cursor_of(p.data);
	uint32_t version = milter_u32(&c);
	d->actions = milter_u32(&c);
	d->steps = milter_u32(&c);
	if (p.kind != MILTER_OPTIONS || c.failed || version < 2 || version > MILTER_VERSION ||
	    (d->actions & ~(uint32_t)MILTER_MAY_ALL) != 0 || (d->steps & ~(uint32_t)MILTER_STEPS) != 0)
		return malformed("wants options that were not offered");
	d->edits->leading_blanks = (d->steps & MILTER_LEADING_BLANKS) != 0;
	return OK;
}

/* Name, family, port, address; of a program of this machine nothing is known. A name that is not confirmed is none: then it is the address in brackets, and the macro says so. */
static err tell_connect(struct dialogue *d)
{
	const struct scan_message *m = d->p->message;
	str client = m->origin->client, name = d->p->in->client_name;
	bool unknown = client.n == 0 || str_equal(client, STR("unix")), v6 = str_contains(client, STR(":"));
	const char port[] = {0, 0};
	const struct macro macros[] = {{"j", d->p->in->config->hostname},
	                               {"{daemon_name}", d->p->in->config->hostname},
	                               {"v", STR("Pombo")},
	                               {"{client_addr}", client},
	                               {"{client_name}", unknown      ? STR("localhost")
	                                                 : name.n > 0 ? name
	                                                              : STR("unknown")}};
	if (name.n == 0)
		name = arena_printf(d->p->arena, "[" STR_FMT "]", STR_ARG(client));
	str known[] = {name, ZERO, v6 ? STR("6") : STR("4"), str_make(port, 2), client, ZERO};
	str nobody[] = {STR("localhost"), ZERO, STR("U")};

	put_macros(d, MILTER_CONNECT, macros, ARRAY_LEN(macros));
	return unknown ? tell(d, MILTER_CONNECT, nobody, 3, MILTER_NO_CONNECT, MILTER_QUIET_CONNECT)
	               : tell(d, MILTER_CONNECT, known, 6, MILTER_NO_CONNECT, MILTER_QUIET_CONNECT);
}

static err tell_sender(struct dialogue *d)
{
	const struct scan_message *m = d->p->message;
	char id[ID_TEXT_MAX];
	const struct macro macros[] = {{"i", id_text(m->id, id)},
	                               {"{auth_authen}", m->origin->login},
	                               {"{auth_type}", m->origin->login.n > 0 ? STR("PLAIN") : STR("")},
	                               {"{mail_addr}", m->sender}};
	BUF(params, PARAMS_MAX);
	milter_mail_params(&params, d->p->in->message->flags);
	str parts[] = {STR("<"), m->sender, STR(">"), ZERO, buf_str(&params)};

	put_macros(d, MILTER_MAIL, macros, ARRAY_LEN(macros));
	return tell(d, MILTER_MAIL, parts, ARRAY_LEN(parts), MILTER_NO_MAIL, MILTER_QUIET_MAIL);
}

static err tell_rcpts(struct dialogue *d)
{
	const struct scan_message *m = d->p->message;
	err e = OK;

	for (size_t i = 0; i < m->rcpts_n && e == OK && !d->over; i++) {
		const struct macro macro = {"{rcpt_addr}", m->rcpts[i].address};
		BUF(params, PARAMS_MAX);
		milter_rcpt_params(&params, &m->rcpts[i]);
		str parts[] = {STR("<"), m->rcpts[i].address, STR(">"), ZERO, buf_str(&params)};

		put_macros(d, MILTER_RCPT, &macro, 1);
		e = tell(d, MILTER_RCPT, parts, ARRAY_LEN(parts), MILTER_NO_RCPT, MILTER_QUIET_RCPT);
	}
	return e;
}

static err tell_envelope(struct dialogue *d)
{
	str helo[] = {d->p->message->origin->helo, ZERO};
	err e = tell_connect(d);

	if (e == OK)
		e = tell(d, MILTER_HELO, helo, 2, MILTER_NO_HELO, MILTER_QUIET_HELO);
	if (e == OK)
		e = tell_sender(d);
	if (e == OK)
		e = tell_rcpts(d);
	return e == OK ? tell(d, MILTER_DATA, NULL, 0, MILTER_NO_DATA, MILTER_QUIET_DATA) : e;
}

/* Lines end with LF there. */
static str header_value(const struct dialogue *d, str value, struct arena *a)
{
	char *to = arena_octets(a, value.n);
	size_t n = 0;

	if (to == NULL)
		return STR("");
	if ((d->steps & MILTER_LEADING_BLANKS) == 0 && str_starts(value, STR(" ")))
		value = str_drop(value, 1);
	for (size_t i = 0; i < value.n; i++)
		if (value.p[i] != '\r' && value.p[i] != '\0')
			to[n++] = value.p[i];
	return str_make(to, n);
}

static err tell_header(struct dialogue *d, size_t *end)
{
	str message = d->p->message->body.bytes;
	struct header_field f;
	err e = OK;

	*end = 0;
	while (e == OK && !d->over && header_next(message, end, &f)) {
		ARENA(a, f.value.n + FIELD_ROOM);
		str parts[] = {f.name, ZERO, header_value(d, f.value, &a), ZERO};
		e = tell(d, MILTER_HEADER, parts, 4, MILTER_NO_HEADERS, MILTER_QUIET_HEADER);
	}
	*end = header_size(message);
	return e == OK ? tell(d, MILTER_HEADER_END, NULL, 0, MILTER_NO_HEADER_END, MILTER_QUIET_HEADER_END) : e;
}

static err tell_body(struct dialogue *d, size_t from)
{
	str body = str_drop(d->p->message->body.bytes, from);
	err e = OK;

	while (body.n > 0 && e == OK && !d->over && !d->no_more_body) {
		str chunk = str_take(body, MILTER_CHUNK_MAX);

		e = tell(d, MILTER_BODY, &chunk, 1, MILTER_NO_BODY, MILTER_QUIET_BODY);
		body = str_drop(body, chunk.n);
	}
	return e;
}

static err tell_end(struct dialogue *d)
{
	char id[ID_TEXT_MAX];
	const struct macro macro = {"i", id_text(d->p->message->id, id)};

	if (d->over)
		return OK;
	put_macros(d, MILTER_BODY_END, &macro, 1);
	return tell(d, MILTER_BODY_END, NULL, 0, 0, 0);
}

static err converse(struct dialogue *d)
{
	size_t body = 0;
	err e = negotiate(d);

	if (e == OK)
		e = tell_envelope(d);
	if (e == OK)
		e = tell_header(d, &body);
	if (e == OK)
		e = tell_body(d, body);
	if (e == OK)
		e = tell_end(d);
	if (e != OK)
		return e;
	milter_put(d->stream, MILTER_QUIT, NULL, 0);
	(void)stream_flush(d->stream); /* it has nothing more to say */
	return OK;
}

/* Refused or thrown away: what it would have changed is of no matter. */
static err conclude(struct dialogue *d)
{
	static const char *const results[] = {"accepted", "junk", "quarantined", "discarded", "tempfailed", "rejected"};
	struct program_answer *out = d->out;
	err e = out->action == SCAN_NOTHING ? milter_edits_apply(d->edits, d->p->message, d->p->arena, out) : OK;

	out->result = str_from(results[out->action]);
	if (out->evidence.n == 0 && out->text.n > 0)
		out->evidence = out->text;
	if (out->evidence.n == 0)
		out->evidence = arena_printf(d->p->arena, "%zu changes", d->edits->n + (d->edits->new_body ? 1 : 0));
	return e;
}

err program_milter(const struct program *p, struct program_answer *out)
{
	struct dialogue d = {.p = p, .out = out, .packet = BUF_INIT(MILTER_PACKET_MAX)};
	err e = program_connect(p, &d.stream);

	if (e != OK)
		return e;
	d.edits = arena_alloc(p->arena, sizeof(*d.edits));
	if (d.edits == NULL) {
		stream_close(d.stream);
		return err_note(E_LIMIT, "no memory for a dialogue");
	}
	milter_edits_init(d.edits, p->arena, p->in->config->limits.message_size);
	e = converse(&d);
	if (e == OK)
		e = conclude(&d);
	if (e != OK)
		*out = PROGRAM_SAID_NOTHING;
	milter_edits_free(d.edits);
	buf_free(&d.packet);
	stream_close(d.stream);
	return e;
}
