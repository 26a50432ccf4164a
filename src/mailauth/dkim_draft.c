/* SPDX-License-Identifier: ISC */
#include "mailauth/dkim_draft.h"

#include "base/date.h"
#include "base/encode.h"

enum { LINE = 72, SIGNATURE_MAX = 1024 };

static const struct {
	const char *name;
	bool closed; /* nobody may add another one */
} worth[] = {
	/* RFC 6376 5.4.1 */
	{"From", true},
	{"Reply-To", true},
	{"Subject", true},
	{"Date", true},
	{"To", true},
	{"Cc", true},
	{"Resent-Date", false},
	{"Resent-From", false},
	{"Resent-To", false},
	{"Resent-Cc", false},
	{"In-Reply-To", true},
	{"References", true},
	{"List-Id", false},
	{"List-Help", false},
	{"List-Unsubscribe", false},
	{"List-Subscribe", false},
	{"List-Post", false},
	{"List-Owner", false},
	{"List-Archive", false},
	/* and what else readers and programs go by */
	{"List-Unsubscribe-Post", false}, /* RFC 8058 4 */
	{"Sender", false},
	{"Message-ID", true},
	{"MIME-Version", true},
	{"Content-Type", true},
	{"Content-Transfer-Encoding", true},
	{"Content-Disposition", false},
	{"Auto-Submitted", false},
	{"Autocrypt", false},
};

struct names {
	struct buf *out;
	size_t n;
	size_t line; /* octets of the last line */
};

static void add_name(struct names *l, str name)
{
	if (l->n > 0)
		buf_putc(l->out, ':');
	if (l->line + name.n > LINE) {
		buf_puts(l->out, "\r\n\t ");
		l->line = 0;
	}
	buf_put(l->out, name);
	l->line += name.n + 1;
	l->n++;
}

static void add_names(struct names *l, const struct dkim_header *h, str name, bool closed)
{
	size_t n = dkim_header_count(h, name) + closed;

	for (size_t i = 0; i < n && l->n <= DKIM_FIELDS_MAX; i++)
		add_name(l, name);
}

err dkim_draft_names(const struct dkim_header *h, bool forwarded, struct buf *out)
{
	struct names l = {.out = out, .line = 3};

	for (size_t i = 0; i < ARRAY_LEN(worth); i++)
		add_names(&l, h, str_from(worth[i].name), worth[i].closed);
	if (forwarded)
		add_names(&l, h, STR("DKIM-Signature"), false);
	return l.n > DKIM_FIELDS_MAX || h->too_large || out->full ? err_note(E_LIMIT, "too many fields to be signed") : OK;
}

void dkim_draft_begin(struct buf *field, str name, str first, const struct dkim_key *key, int64_t now)
{
	buf_printf(field, STR_FMT ": " STR_FMT "; a=%s; d=" STR_FMT ";\r\n\ts=" STR_FMT "; t=%lld;", STR_ARG(name),
	           STR_ARG(first), key->ed25519 ? "ed25519-sha256" : "rsa-sha256", STR_ARG(key->domain),
	           STR_ARG(key->selector), (long long)(now / USEC_PER_SEC));
}

void dkim_draft_message(struct buf *field, str names, str body_hash)
{
	buf_puts(field, " c=relaxed/relaxed;\r\n\th=");
	buf_put(field, names);
	buf_puts(field, ";\r\n\tbh=");
	base64_encode(field, body_hash);
	buf_putc(field, ';');
}

struct header_field dkim_draft_end(struct buf *field)
{
	buf_puts(field, "\r\n\tb=");
	str whole = buf_str(field);
	size_t at = str_find(whole, ':');
	return (struct header_field){str_take(whole, at), str_drop(whole, at + 1), whole};
}

err dkim_draft_sign(struct buf *field, const struct dkim_key *key, const struct crypto_digest *digest)
{
	BUF(octets, SIGNATURE_MAX);
	BUF(text, 2 * SIGNATURE_MAX);
	err e = key->sign(key->ctx, crypto_digest_str(digest), &octets);

	if (e != OK)
		return e;
	base64_encode(&text, buf_str(&octets));
	for (str rest = buf_str(&text); rest.n > 0; rest = str_drop(rest, LINE)) {
		buf_put(field, str_take(rest, LINE));
		buf_puts(field, rest.n > LINE ? "\r\n\t " : "\r\n");
	}
	return field->full || text.n == 0 ? err_note(E_LIMIT, "no room for a signature") : OK;
}
