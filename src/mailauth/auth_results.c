/* SPDX-License-Identifier: ISC */
/* The field that is written. */
#include "mailauth/auth_results.h"

#include "mail/address.h"

enum { VALUE_MAX = 255, REASON_MAX = 200, SIGNATURE_SHOWN = 16 };

struct printer {
	struct buf *out;
	const char *fold; /* between methods */
};

/* --- values (RFC 8601 2.2: pvalue) --- */

/* RFC 2045 5.1 */
static bool is_token(str s)
{
	static const bool special[128] = {['('] = true, [')'] = true, ['<'] = true, ['>'] = true,  ['@'] = true,
	                                  [','] = true, [';'] = true, [':'] = true, ['\\'] = true, ['"'] = true,
	                                  ['/'] = true, ['['] = true, [']'] = true, ['?'] = true,  ['='] = true};

	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' || special[(unsigned char)s.p[i]])
			return false;
	return s.n > 0;
}

/* [ [ local-part ] "@" ] domain-name */
static bool is_plain_address(str s)
{
	str local, domain;

	return str_cut(s, '@', &local, &domain) && (local.n == 0 || address_is_plain(local)) && is_token(domain);
}

static bool is_printable(str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < ' ' || s.p[i] > '~')
			return false;
	return true;
}

static void put_quoted(struct buf *out, str s)
{
	buf_putc(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			buf_putc(out, '\\');
		buf_putc(out, s.p[i]);
	}
	buf_putc(out, '"');
}

/* " name=value"; nothing of what cannot be said. */
static void put_property(struct buf *out, const char *name, str value)
{
	if (value.n == 0 || value.n > VALUE_MAX || !str_is_ascii(value) || !is_printable(value))
		return;
	buf_putc(out, ' ');
	buf_puts(out, name);
	buf_putc(out, '=');
	if (is_token(value) || is_plain_address(value))
		buf_put(out, value);
	else
		put_quoted(out, value);
}

/* In words, of what went wrong. */
static void put_reason(struct buf *out, str why)
{
	char text[REASON_MAX];
	size_t n = why.n < sizeof(text) ? why.n : sizeof(text);

	if (n == 0)
		return;
	for (size_t i = 0; i < n; i++)
		text[i] = (char)(why.p[i] < ' ' || why.p[i] > '~' ? '?' : why.p[i]);
	buf_puts(out, " reason=");
	put_quoted(out, str_make(text, n));
}

static void begin(const struct printer *p, const char *method, enum auth_result result)
{
	buf_putc(p->out, ';');
	buf_puts(p->out, p->fold);
	buf_puts(p->out, method);
	buf_putc(p->out, '=');
	buf_put(p->out, auth_result_name(result));
}

/* --- methods (RFC 8601 2.7) --- */

static void put_spf(const struct printer *p, const struct auth_results *r)
{
	const struct spf_result *spf = r->spf;

	begin(p, "spf", spf->result);
	if (spf->result != AUTH_PASS)
		put_reason(p->out, spf->why);
	if (spf->helo)
		put_property(p->out, "smtp.helo", r->helo);
	else
		put_property(p->out, "smtp.mailfrom", r->sender);
}

static void put_iprev(const struct printer *p, const struct auth_results *r)
{
	begin(p, "iprev", r->iprev->result);
	if (r->iprev->name.n > 0 && is_token(r->iprev->name))
		buf_printf(p->out, " (" STR_FMT ")", STR_ARG(r->iprev->name));
	put_property(p->out, "policy.iprev", r->client);
}

static void put_signature(const struct printer *p, const struct dkim_result *d)
{
	begin(p, "dkim", d->result);
	if (d->result == AUTH_PASS && d->bits > 0)
		buf_printf(p->out, " (%u-bit key)", d->bits);
	if (d->result != AUTH_PASS)
		put_reason(p->out, d->why);
	put_property(p->out, "header.d", d->domain);
	put_property(p->out, "header.i", d->identity);
	put_property(p->out, "header.s", d->selector);
	put_property(p->out, "header.a", d->algorithm);
	put_property(p->out, "header.b", str_take(d->b, SIGNATURE_SHOWN));
}

static void put_dkim(const struct printer *p, const struct auth_results *r)
{
	for (size_t i = 0; i < r->dkim_n; i++)
		if (!r->dkim[i].skipped)
			put_signature(p, &r->dkim[i]);
	if (r->dkim_n == 0)
		begin(p, "dkim", AUTH_NONE);
}

static const char *policy_name(enum dmarc_policy policy)
{
	return policy == DMARC_REJECT ? "reject" : policy == DMARC_QUARANTINE ? "quarantine" : "none";
}

/* RFC 9989 9.1: policy.dmarc is what is asked for of this message; in the comment, what was published. */
static void put_dmarc(const struct printer *p, const struct auth_results *r)
{
	const struct dmarc_result *d = r->dmarc;

	begin(p, "dmarc", d->result);
	if (d->record.domain.n > 0)
		buf_printf(p->out, " (p=%s sp=%s)", policy_name(d->record.p), policy_name(d->record.sp));
	if (d->result != AUTH_PASS)
		put_reason(p->out, d->why);
	put_property(p->out, "header.from", r->author);
	if (d->record.domain.n > 0)
		put_property(p->out, "policy.dmarc", str_from(policy_name(d->policy)));
}

/* RFC 8617 10.1 */
static void put_arc(const struct printer *p, const struct auth_results *r)
{
	begin(p, "arc", r->arc->result);
	if (r->arc->result == AUTH_PASS)
		buf_printf(p->out, " (i=%zu) header.oldest-pass=%u", r->arc->n, r->arc->oldest_pass);
	else
		put_reason(p->out, r->arc->why);
	put_property(p->out, "smtp.remote-ip", r->client);
}

static void put_login(const struct printer *p, const struct auth_results *r)
{
	begin(p, "auth", AUTH_PASS);
	put_property(p->out, "smtp.auth", r->login);
}

static void put_all(const struct printer *p, const struct auth_results *r)
{
	size_t before;

	buf_put(p->out, r->hostname);
	before = p->out->n;
	if (r->spf != NULL)
		put_spf(p, r);
	if (r->dkim != NULL)
		put_dkim(p, r);
	if (r->dmarc != NULL)
		put_dmarc(p, r);
	if (r->arc != NULL)
		put_arc(p, r);
	if (r->iprev != NULL)
		put_iprev(p, r);
	if (r->login.n > 0)
		put_login(p, r);
	if (p->out->n == before)
		buf_puts(p->out, "; none");
}

void auth_results_print(struct buf *out, const struct auth_results *r)
{
	const struct printer p = {out, "\r\n\t"};

	buf_puts(out, "Authentication-Results: ");
	put_all(&p, r);
	buf_puts(out, "\r\n");
}

void auth_results_value(struct buf *out, const struct auth_results *r)
{
	const struct printer p = {out, " "};

	put_all(&p, r);
}
