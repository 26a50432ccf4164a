/* SPDX-License-Identifier: ISC */
#include "mailauth/dkim_signature.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/date.h"
#include "base/encode.h"
#include "conf/domain_name.h"

enum { SIGNATURE_MAX = 1024, B_SHOWN = 8, SHA256_SIZE = 32, NAME_MAX_OCTETS = 253, LABEL_MAX = 63, WHY_MAX = 200 };
enum { FUTURE = 3600 };          /* seconds that a sender's clock may be ahead */
#define TIME_MAX 999999999999ULL /* RFC 6376 3.5: twelve digits are enough */

struct reading {
	enum dkim_field_kind kind;
	uint64_t now; /* seconds */
	struct arena *a;
	struct dkim_signature *s;
	struct dkim_result *r;
};

void dkim_say(struct dkim_result *r, struct arena *a, enum auth_result result, const char *fmt, ...)
{
	char text[WHY_MAX];
	va_list args;

	va_start(args, fmt);
	int n = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	r->result = result;
	r->why = arena_str(a, str_take(str_make(text, n < 0 ? 0 : (size_t)n), sizeof(text) - 1));
}

static bool malformed(struct reading *p, const char *what)
{
	dkim_say(p->r, p->a, AUTH_PERMERROR, "%s", what);
	return false;
}

/* --- names --- */

/* Letters, digits, hyphens, and the underscore, which selectors and domains have though they should not. */
static bool is_label(str label)
{
	for (size_t i = 0; i < label.n; i++) {
		char c = label.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
		      c == '_'))
			return false;
	}
	return label.n > 0 && label.n <= LABEL_MAX;
}

static bool is_name(str name)
{
	str rest = name, label;
	bool more = name.n <= NAME_MAX_OCTETS;

	while (more) {
		more = str_cut(rest, '.', &label, &rest);
		if (!is_label(label))
			return false;
	}
	return name.n <= NAME_MAX_OCTETS;
}

/* RFC 8616 5: U-labels are looked up as A-labels. */
static bool fold_name(struct reading *p, str name, str *out)
{
	if (!str_is_ascii(name))
		return domain_name_fold(name, p->a, out) == OK;
	if (!is_name(name))
		return false;
	*out = arena_lower(p->a, name);
	return true;
}

/* --- tags, each a step --- */

static bool read_domain(struct reading *p)
{
	if (!fold_name(p, dkim_tags_get(&p->s->tags, "d"), &p->s->domain))
		return malformed(p, "d= is no domain");
	p->r->domain = p->s->domain;
	return true;
}

static bool read_selector(struct reading *p)
{
	if (!fold_name(p, dkim_tags_get(&p->s->tags, "s"), &p->s->selector))
		return malformed(p, "s= is no selector");
	p->r->selector = p->s->selector;
	return true;
}

static str squeeze(struct reading *p, str value, size_t limit)
{
	BUF(text, limit);

	dkim_tags_squeeze(&text, value);
	return text.full ? STR_NONE : arena_str(p->a, buf_str(&text));
}

static bool decode(struct reading *p, str text, str *out)
{
	BUF(octets, SIGNATURE_MAX);

	if (base64_decode(&octets, text) != OK)
		return false;
	*out = arena_str(p->a, buf_str(&octets));
	return out->n > 0;
}

static bool read_b(struct reading *p)
{
	str text = squeeze(p, dkim_tags_get(&p->s->tags, "b"), 2 * SIGNATURE_MAX);

	if (!decode(p, text, &p->s->b))
		return malformed(p, "b= is no signature in base64");
	p->r->b = str_take(text, B_SHOWN);
	return true;
}

static bool read_version(struct reading *p)
{
	if (p->kind == DKIM_FIELD && !str_equal(dkim_tags_get(&p->s->tags, "v"), STR("1")))
		return malformed(p, "the signature is not of version 1");
	return true;
}

static bool read_algorithm(struct reading *p)
{
	str value = dkim_tags_get(&p->s->tags, "a");

	p->s->ed25519 = str_equal(value, STR("ed25519-sha256"));
	if (p->s->ed25519 || str_equal(value, STR("rsa-sha256"))) {
		p->r->algorithm = value;
		return true;
	}
	if (!str_equal(value, STR("rsa-sha1")))
		return malformed(p, "a= is no algorithm that is known");
	p->r->algorithm = value; /* RFC 8301 3.1 */
	dkim_say(p->r, p->a, AUTH_POLICY, "rsa-sha1 proves nothing any more");
	return false;
}

static bool is_canon(str name, enum dkim_canon *out)
{
	*out = str_equal(name, STR("relaxed")) ? DKIM_RELAXED : DKIM_SIMPLE;
	return *out == DKIM_RELAXED || str_equal(name, STR("simple"));
}

static bool read_canon(struct reading *p)
{
	str value, header, body;

	/* RFC 8617 does not say it, but those who seal without c= mean relaxed/relaxed; the working group's vectors do. */
	p->s->header = p->s->body = p->kind == ARC_MESSAGE_FIELD ? DKIM_RELAXED : DKIM_SIMPLE;
	if (!dkim_tags_find(&p->s->tags, "c", &value))
		return true;
	if (!str_cut(value, '/', &header, &body))
		body = STR("simple");
	return (is_canon(header, &p->s->header) && is_canon(body, &p->s->body)) ||
	       malformed(p, "c= is no canonicalization that is known");
}

static bool read_query(struct reading *p)
{
	str list, item;

	if (!dkim_tags_find(&p->s->tags, "q", &list))
		return true;
	while (dkim_tags_item(&list, ':', &item))
		if (str_equal(item, STR("dns/txt")) || str_equal(item, STR("dns")))
			return true;
	return malformed(p, "q= does not say that the key is in the DNS");
}

static bool read_names(struct reading *p)
{
	str rest, item;
	size_t n = 0;
	bool author = p->kind != DKIM_FIELD;

	if (!dkim_tags_find(&p->s->tags, "h", &rest))
		return malformed(p, "h= is missing");
	p->s->names = rest;
	while (dkim_tags_item(&rest, ':', &item)) {
		if (++n > DKIM_FIELDS_MAX)
			return malformed(p, "h= names too many fields");
		author = author || str_equal_nocase(item, STR("From"));
		/* RFC 8617 4.1.2 */
		if (p->kind == ARC_MESSAGE_FIELD && str_equal_nocase(item, STR("ARC-Seal")))
			return malformed(p, "h= names ARC-Seal");
	}
	return author || malformed(p, "h= leaves From out"); /* RFC 6376 5.4 */
}

static bool read_body_hash(struct reading *p)
{
	str text = squeeze(p, dkim_tags_get(&p->s->tags, "bh"), 2 * SHA256_SIZE);

	if (!decode(p, text, &p->s->bh) || p->s->bh.n != SHA256_SIZE)
		return malformed(p, "bh= is no SHA-256 in base64");
	return true;
}

static bool read_length(struct reading *p)
{
	str value;

	if (dkim_tags_find(&p->s->tags, "l", &value) && !str_to_u64(value, UINT64_MAX - 1, &p->s->length))
		return malformed(p, "l= is no number");
	return true;
}

static bool read_times(struct reading *p)
{
	str value;
	uint64_t made = 0, expires = TIME_MAX;

	if (dkim_tags_find(&p->s->tags, "t", &value) && !str_to_u64(value, TIME_MAX, &made))
		return malformed(p, "t= is no time");
	if (p->kind == ARC_SEAL_FIELD)
		return true;
	if (dkim_tags_find(&p->s->tags, "x", &value) && !str_to_u64(value, TIME_MAX, &expires))
		return malformed(p, "x= is no time");
	if (expires < made)
		return malformed(p, "it expired before it was made (t= and x=)");
	if (made > p->now + FUTURE)
		dkim_say(p->r, p->a, AUTH_FAIL, "it is dated in the future (t=%llu)", (unsigned long long)made);
	else if (expires < p->now)
		dkim_say(p->r, p->a, AUTH_FAIL, "it has expired (x=%llu)", (unsigned long long)expires);
	return p->r->result == AUTH_NONE;
}

/* RFC 6376 3.5: i= is d= or below it. */
static bool read_identity(struct reading *p)
{
	str value, domain = p->s->domain;

	p->s->identity_domain = domain;
	p->r->identity = arena_printf(p->a, "@" STR_FMT, STR_ARG(domain));
	if (p->kind != DKIM_FIELD || !dkim_tags_find(&p->s->tags, "i", &value))
		return true;
	size_t at = str_find_last(value, '@');
	if (at == value.n || !fold_name(p, str_drop(value, at + 1), &p->s->identity_domain))
		return malformed(p, "i= is no identity");
	str inner = p->s->identity_domain;
	if (!str_equal(inner, domain) &&
	    !(str_ends(inner, domain) && inner.n > domain.n && inner.p[inner.n - domain.n - 1] == '.'))
		return malformed(p, "i= is outside of d=");
	p->r->identity = squeeze(p, value, 4 * NAME_MAX_OCTETS);
	return true;
}

/* RFC 8617 4.1.3 */
static bool refuse_names(struct reading *p)
{
	str value;

	return !dkim_tags_find(&p->s->tags, "h", &value) || malformed(p, "a seal has no h=");
}

typedef bool step(struct reading *p);

static bool run(struct reading *p, step *const *steps, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!steps[i](p))
			return false;
	return true;
}

err dkim_signature_read(enum dkim_field_kind kind, const struct header_field *field, int64_t now, struct arena *a,
                        struct dkim_signature *s, struct dkim_result *r)
{
	static step *const common[] = {read_domain, read_selector, read_version, read_b, read_algorithm, read_times};
	static step *const message[] = {read_canon, read_query, read_names, read_body_hash, read_length, read_identity};
	static step *const seal[] = {refuse_names};
	struct reading p = {kind, now > 0 ? (uint64_t)(now / USEC_PER_SEC) : 0, a, s, r};

	*r = (struct dkim_result){0};
	*s = (struct dkim_signature){.field = field, .length = UINT64_MAX};
	if (dkim_tags_parse(field->value, &s->tags) != OK)
		malformed(&p, err_info()->text);
	else if (run(&p, common, ARRAY_LEN(common)))
		(void)(kind == ARC_SEAL_FIELD ? run(&p, seal, ARRAY_LEN(seal)) : run(&p, message, ARRAY_LEN(message)));
	return a->full ? err_note(E_LIMIT, "no memory for a signature") : OK;
}

err dkim_signature_hash(const struct dkim_signature *s, struct dkim_header *h, struct crypto_digest *out)
{
	CLEANUP(dkim_canon_free) struct dkim_canon_out o = {0};
	str rest = s->names, name;

	dkim_canon_begin(&o, UINT64_MAX);
	dkim_header_rewind(h);
	while (dkim_tags_item(&rest, ':', &name)) {
		const struct header_field *f = dkim_header_take(h, name);
		if (f == s->field) /* it never covers itself */
			f = dkim_header_take(h, name);
		if (f != NULL)
			dkim_canon_field(&o, s->header, f);
	}
	dkim_canon_signature(&o, s->header, s->field, dkim_tags_whole(&s->tags, "b"));
	return dkim_canon_end(&o, out);
}
