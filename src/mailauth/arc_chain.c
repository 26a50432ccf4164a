/* SPDX-License-Identifier: ISC */
#include "mailauth/arc_chain.h"

#include "base/cursor.h"

enum { INSTANCE_DIGITS = 2 };

static bool is_space(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

static unsigned instance(str digits)
{
	uint64_t n;

	return digits.n <= INSTANCE_DIGITS && str_to_u64(digits, ARC_SETS_MAX, &n) ? (unsigned)n : 0;
}

/* Comments (RFC 5322 3.2.2), which may be nested, and white space. */
static void skip_cfws(struct cursor *c)
{
	size_t depth = 0;

	for (cursor_take_while(c, is_space); !cursor_end(c) && (depth > 0 || *c->p == '(');
	     cursor_take_while(c, is_space)) {
		char ch = (char)cursor_u8(c);
		depth += ch == '(';
		depth -= ch == ')';
		if (ch == '\\')
			(void)cursor_u8(c);
	}
}

/* RFC 8617 4.1.1, 4.2.1: [CFWS] "i" "=" instance [CFWS] ";" */
unsigned arc_results_instance(str value, str *rest)
{
	struct cursor c = cursor_of(value);

	skip_cfws(&c);
	cursor_expect(&c, 'i');
	cursor_take_while(&c, is_space);
	cursor_expect(&c, '=');
	cursor_take_while(&c, is_space);
	str digits = cursor_take_while(&c, is_digit);
	skip_cfws(&c);
	cursor_expect(&c, ';');
	*rest = cursor_rest(&c);
	return c.failed ? 0 : instance(digits);
}

static unsigned tagged_instance(str value)
{
	struct dkim_tags tags;

	return dkim_tags_parse(value, &tags) == OK ? instance(dkim_tags_get(&tags, "i")) : 0;
}

static void place(struct arc_chain *chain, unsigned i, const struct header_field *f, size_t offset)
{
	if (i == 0) {
		chain->broken = "a field of ARC without an instance";
		return;
	}
	struct arc_fields *set = &chain->sets[i - 1];
	const struct header_field **slot = offset == 0 ? &set->results : offset == 1 ? &set->message : &set->seal;
	if (*slot != NULL)
		chain->broken = "a field of ARC that is there twice";
	*slot = f;
	if (i > chain->n)
		chain->n = i;
}

void arc_chain_read(const struct dkim_header *h, struct arc_chain *out)
{
	static const char *const names[] = {"ARC-Authentication-Results", "ARC-Message-Signature", "ARC-Seal"};

	*out = (struct arc_chain){.broken = h->too_large ? "the header is too large to be looked at" : NULL};
	for (size_t i = 0; i < h->n; i++)
		for (size_t k = 0; k < ARRAY_LEN(names); k++) {
			const struct header_field *f = &h->fields[i];
			str rest;

			if (!str_equal_nocase(f->name, str_from(names[k])))
				continue;
			out->any = true;
			place(out, k == 0 ? arc_results_instance(f->value, &rest) : tagged_instance(f->value), f, k);
		}
	for (size_t i = 0; i < out->n; i++)
		if (out->sets[i].results == NULL || out->sets[i].message == NULL || out->sets[i].seal == NULL)
			out->broken = "a set that is not whole";
}

err arc_seal_hash(struct dkim_canon_out *o, const struct arc_fields *set, str seal_b, struct crypto_digest *digest)
{
	CLEANUP(dkim_canon_free) struct dkim_canon_out own = {0};

	if (o->digest.ctx == NULL)
		dkim_canon_begin(o, UINT64_MAX);
	dkim_canon_field(o, DKIM_RELAXED, set->results);
	dkim_canon_field(o, DKIM_RELAXED, set->message);
	dkim_canon_copy(&own, o);
	dkim_canon_signature(&own, DKIM_RELAXED, set->seal, seal_b);
	dkim_canon_field(o, DKIM_RELAXED, set->seal);
	return dkim_canon_end(&own, digest);
}
