/* SPDX-License-Identifier: ISC */
#include "dns/wire.h"

#include "dns/dns.h"

enum { NAME_OCTETS_MAX = 255, LABEL_MAX = 63, CLASS_IN = 1, TYPE_SOA = 6, RCODE_MASK = 15, COUNTS = 4 };

struct wire_name { /* labels with their lengths, the empty one included */
	char p[NAME_OCTETS_MAX];
	size_t n;
};

struct rr {
	struct wire_name owner;
	unsigned type, class;
	uint32_t ttl;
	str data;
	bool bad_name; /* `data` is as it came */
};

static unsigned be16(struct cursor *c)
{
	unsigned high = cursor_u8(c);

	return high << 8 | cursor_u8(c);
}

static uint32_t be32(struct cursor *c)
{
	uint32_t high = be16(c);

	return high << 16 | be16(c);
}

/* --- names --- */

/* A label, its length in front; 0: does not fit. */
static size_t append_label(struct wire_name *out, str label)
{
	if (out->n + 1 + label.n > NAME_OCTETS_MAX)
		return 0;
	out->p[out->n++] = (char)label.n;
	if (label.n > 0)
		memcpy(out->p + out->n, label.p, label.n);
	out->n += label.n;
	return 1 + label.n;
}

/* RFC 1035 4.1.4. A pointer leads to in front of what held it, so that each is followed once at most. */
static void take_name(struct cursor *c, str message, struct wire_name *out)
{
	size_t before = message.n - cursor_left(c);
	struct cursor far, *at = c;
	unsigned length;

	out->n = 0;
	do {
		length = cursor_u8(at);
		if (length > LABEL_MAX) {
			size_t target = (length & LABEL_MAX) << 8 | cursor_u8(at);
			bool good = length >= 0xc0 && !at->failed && target < before;

			before = target;
			far = cursor_of(good ? str_drop(message, target) : STR_NONE);
			at = &far;
			far.failed = !good;
		} else if (append_label(out, cursor_bytes(at, length)) == 0) {
			cursor_fail(at);
		}
	} while (length > 0 && !at->failed);
	if (at->failed)
		cursor_fail(c);
}

static str view(const struct wire_name *n)
{
	return str_make(n->p, n->n);
}

/* A label of text with \DDD taken for the octet (RFC 1035 5.1). */
static void unescape(str text, struct buf *out)
{
	uint64_t octet;

	for (; text.n > 0; text = str_drop(text, 1)) {
		if (text.p[0] == '\\' && text.n > 3 && str_to_u64(str_make(text.p + 1, 3), UINT8_MAX, &octet)) {
			buf_putc(out, (char)octet);
			text = str_drop(text, 3);
		} else {
			buf_putc(out, text.p[0]);
		}
	}
}

/* Of text, as libunbound reads it. */
static bool name_of_text(str text, struct wire_name *out)
{
	BUF(octets, NAME_OCTETS_MAX);
	str label;
	bool good = true;

	out->n = 0;
	while (good && text.n > 0) {
		str_cut(text, '.', &label, &text);
		buf_reset(&octets);
		unescape(label, &octets);
		good = octets.n > 0 && octets.n <= LABEL_MAX && !octets.full && append_label(out, buf_str(&octets)) > 0;
	}
	return good && append_label(out, STR_NONE) > 0;
}

static bool is_plain(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static void put_char(struct buf *out, unsigned char c)
{
	unsigned char lower = c >= 'A' && c <= 'Z' ? (unsigned char)(c | 0x20) : c;

	if (is_plain(lower))
		buf_putc(out, (char)lower);
	else
		buf_printf(out, "\\%03u", c);
}

static str text_of(const struct wire_name *n, struct arena *a)
{
	BUF(out, 4 * NAME_OCTETS_MAX);
	struct cursor c = cursor_of(view(n));
	unsigned length;

	while ((length = cursor_u8(&c)) > 0) {
		str label = cursor_bytes(&c, length);

		if (out.n > 0)
			buf_putc(&out, '.');
		for (size_t i = 0; i < label.n; i++)
			put_char(&out, (unsigned char)label.p[i]);
	}
	return arena_str(a, buf_str(&out));
}

/* --- records --- */

/* Octets in front of the name in the data; the types that have none have no name that could be compressed. */
static bool name_stands_behind(unsigned type, size_t *octets)
{
	*octets = type == DNS_MX ? 2 : type == DNS_SRV ? 6 : 0;
	return type == DNS_CNAME || type == DNS_PTR || type == DNS_MX || type == DNS_SRV;
}

/* False: it is not what the type wants. What then becomes of it is for who reads it. */
static bool write_name_out(struct cursor c, str message, unsigned type, struct rr *rr, struct arena *a)
{
	struct wire_name name;
	size_t octets, end = cursor_left(&c) - rr->data.n;
	BUF(out, 6 + NAME_OCTETS_MAX);

	if (!name_stands_behind(type, &octets))
		return true;
	buf_put(&out, cursor_bytes(&c, octets));
	take_name(&c, message, &name);
	buf_put(&out, view(&name));
	if (c.failed || cursor_left(&c) != end)
		return false;
	rr->data = arena_str(a, buf_str(&out));
	return true;
}

static void take_rr(struct cursor *c, str message, struct rr *out, struct arena *a)
{
	take_name(c, message, &out->owner);
	out->type = be16(c);
	out->class = be16(c);
	out->ttl = be32(c);
	size_t n = be16(c);
	const struct cursor data = *c;
	out->data = cursor_bytes(c, n);
	out->bad_name = c->failed || !write_name_out(data, message, out->type, out, a);
}

static uint32_t lesser(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

struct answer {
	struct resolve_reply *reply;
	struct arena *arena;
	struct wire_name name; /* that is looked for now */
	uint64_t type;
	uint32_t ttl;
	bool malformed;
};

static void follow(struct answer *w, const struct rr *rr)
{
	w->malformed |= rr->bad_name;
	if (rr->bad_name)
		return;
	memcpy(w->name.p, rr->data.p, rr->data.n);
	w->name.n = rr->data.n;
}

/* What belongs to the answer; signatures and the like do not. */
static void look_at(struct answer *w, const struct rr *rr)
{
	struct resolve_reply *r = w->reply;

	if (rr->class != CLASS_IN || (rr->type != w->type && rr->type != DNS_CNAME) ||
	    !str_equal_nocase(view(&rr->owner), view(&w->name)))
		return;
	w->ttl = lesser(w->ttl, rr->ttl);
	if (rr->type == w->type)
		r->records[r->records_n++].data = arena_str(w->arena, rr->data);
	else
		follow(w, rr);
}

static void take_answers(struct cursor *c, str message, unsigned n, struct answer *w)
{
	struct rr rr;

	for (unsigned i = 0; i < n && !c->failed; i++) {
		take_rr(c, message, &rr, w->arena);
		if (!c->failed && !w->arena->full)
			look_at(w, &rr);
	}
}

/* RFC 2308 5: how long a denial may be remembered. Of the SOA's data the last number. */
static void take_denial(struct cursor *c, str message, unsigned n, struct answer *w)
{
	struct rr rr;
	uint32_t ttl = 0;

	for (unsigned i = 0; i < n && !c->failed; i++) {
		take_rr(c, message, &rr, w->arena);
		if (c->failed || rr.type != TYPE_SOA || rr.data.n < 4)
			continue;
		struct cursor last = cursor_of(str_drop(rr.data, rr.data.n - 4));
		ttl = lesser(rr.ttl, be32(&last));
	}
	w->ttl = lesser(w->ttl, ttl);
}

static void take_message(struct cursor *c, str message, struct answer *w)
{
	struct wire_name question;
	unsigned counts[COUNTS];

	(void)be16(c); /* id */
	w->reply->rcode = be16(c) & RCODE_MASK;
	for (size_t i = 0; i < COUNTS; i++)
		counts[i] = be16(c);
	for (unsigned i = 0; i < counts[0] && !c->failed; i++) {
		take_name(c, message, &question);
		(void)be32(c); /* type, class */
	}
	w->reply->records = arena_array(w->arena, counts[1], sizeof(*w->reply->records));
	if (w->reply->records == NULL)
		return;
	take_answers(c, message, counts[1], w);
	if (w->reply->records_n == 0)
		take_denial(c, message, counts[2], w);
}

err wire_answer(str message, str name, uint64_t type, struct resolve_reply *out, struct arena *a)
{
	struct cursor c = cursor_of(message);
	struct answer w = {.reply = out, .arena = a, .type = type, .ttl = UINT32_MAX};

	*out = (struct resolve_reply){0};
	if (!name_of_text(name, &w.name))
		return err_set(E_SYNTAX, 451, "4.4.3", "this is no name of the DNS");
	take_message(&c, message, &w);
	out->ttl = w.ttl;
	out->canonical = text_of(&w.name, a);
	if (a->full)
		return err_set(E_LIMIT, 451, "4.4.3", "an answer of the DNS is too large");
	return c.failed || w.malformed ? err_set(E_SYNTAX, 451, "4.4.3", "an answer of the DNS is malformed") : OK;
}
