/* SPDX-License-Identifier: ISC */
#include "mailauth/spf.h"

#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>

#include "conf/domain_name.h"
#include "mailauth/spf_macro.h"
#include "mailauth/spf_state.h"
#include "mailauth/spf_term.h"

enum { MECHANISM_MAX = 200, EXPLANATION_MAX = 300, RECORD_MAX = 16 << 10 };

enum auth_result spf_why(struct spf_check *c, enum auth_result result, const char *fmt, ...)
{
	char text[SPF_WHY_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	c->out->why = arena_ascii(c->a, str_from(text));
	return result;
}

/* --- the record of a domain (RFC 7208 4.4, 4.5, 4.6) --- */

struct spf_record {
	str text;
	str redirect, exp; /* STR_NONE: there is none */
};

static enum auth_result select_record(struct spf_check *c, str domain, const str *texts, size_t n, str *out)
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++) {
		if (spf_is_record(texts[i])) {
			*out = texts[i];
			found++;
		}
	}
	if (found == 0)
		return spf_why(c, AUTH_NONE, STR_FMT " has no SPF record", STR_ARG(domain));
	if (found > 1)
		return spf_why(c, AUTH_PERMERROR, STR_FMT " has %zu SPF records", STR_ARG(domain), found);
	if (out->n > RECORD_MAX)
		return spf_why(c, AUTH_PERMERROR, "the SPF record of " STR_FMT " is too long", STR_ARG(domain));
	return AUTH_PASS;
}

/* RFC 7208 6: each of these modifiers at most once. */
static bool note_modifier(struct spf_record *r, const struct spf_term *t)
{
	str *at = t->kind == SPF_REDIRECT ? &r->redirect : t->kind == SPF_EXP ? &r->exp : NULL;
	bool first = at == NULL || at->n == 0;

	if (at != NULL)
		*at = t->domain;
	return first;
}

/* RFC 7208 4.6: errors count wherever they stand. */
static enum auth_result check_syntax(struct spf_check *c, str domain, struct spf_record *r)
{
	struct cursor at = spf_terms(r->text);
	struct spf_term t;
	bool once = true;

	while (once && spf_term_next(&at, &t))
		once = note_modifier(r, &t);
	if (!once || at.failed)
		return spf_why(c, AUTH_PERMERROR, "the SPF record of " STR_FMT " has %s: " STR_FMT, STR_ARG(domain),
		               once ? "a term that is malformed" : "a modifier twice", STR_ARG(str_take(t.text, 80)));
	return AUTH_PASS;
}

/* PASS: there it is. */
static enum auth_result find_record(struct spf_check *c, str domain, struct arena *a, struct spf_record *r)
{
	BUF(text, SPF_NAME_MAX);
	struct dns_answer answer;
	str *texts;
	size_t n;

	*r = (struct spf_record){0};
	spf_name_escape(&text, domain);
	err e = dns_txt(c->q->resolver, buf_str(&text), a, c->q->deadline, &answer, &texts, &n);
	if (e != OK && e != E_NOT_FOUND)
		return spf_failure(c, e);
	enum auth_result found = select_record(c, domain, texts, e == OK ? n : 0, &r->text);
	return found == AUTH_PASS ? check_syntax(c, domain, r) : found;
}

/* --- exp (6.2) --- */

/* One TXT record, and nothing else will do. It counts for no limit. */
static void explain(struct spf_check *c, str spec, str domain)
{
	ARENA(a, SPF_ANSWER_MEMORY);
	BUF(name, SPF_NAME_MAX);
	BUF(escaped, SPF_NAME_MAX);
	BUF(text, SPF_NAME_MAX);
	struct dns_answer answer;
	str *texts;
	size_t n;

	if (spec.n == 0 || !spf_name_of(c, spec, domain, &name) || c->fault != OK)
		return;
	spf_name_escape(&escaped, buf_str(&name));
	err e = dns_txt(c->q->resolver, buf_str(&escaped), &a, c->q->deadline, &answer, &texts, &n);
	if (e == E_CANCELLED)
		c->fault = e;
	if (e != OK || n != 1 || !spf_macro_is_valid(texts[0]))
		return;
	spf_macro_expand(c, texts[0], domain, &text);
	if (!text.full)
		c->out->explanation = arena_ascii(c->a, str_take(buf_str(&text), EXPLANATION_MAX));
}

/* --- check_host() (4) --- */

static enum auth_result check_host(struct spf_check *c, str domain, bool outermost);

/* RFC 7208 5.2 */
static enum auth_result match_include(struct spf_check *c, const struct spf_term *t, str domain)
{
	BUF(name, SPF_NAME_MAX);
	enum auth_result r = spf_count_lookup(c);

	if (r != AUTH_NONE)
		return r;
	if (!spf_name_of(c, t->domain, domain, &name))
		return spf_why(c, AUTH_PERMERROR, "the record of " STR_FMT " includes what can be no domain",
		               STR_ARG(domain));
	r = check_host(c, buf_str(&name), false);
	if (r == AUTH_NONE)
		return spf_why(c, AUTH_PERMERROR, "the record of " STR_FMT " includes " STR_FMT ", which has none",
		               STR_ARG(domain), STR_ARG(buf_str(&name)));
	return r == AUTH_PASS || r == AUTH_TEMPERROR || r == AUTH_PERMERROR ? r : AUTH_NONE;
}

static void note_match(struct spf_check *c, const struct spf_record *r, const struct spf_term *t, str domain)
{
	c->out->mechanism = arena_str(c->a, str_take(t->text, MECHANISM_MAX));
	if (t->result == AUTH_FAIL)
		explain(c, r->exp, domain);
}

/* The first mechanism that matches decides. `next`: where the record redirects to, else empty. */
static enum auth_result evaluate(struct spf_check *c, const struct spf_record *r, str domain, bool outermost,
                                 struct buf *next)
{
	struct cursor at = spf_terms(r->text);
	struct spf_term t;
	enum auth_result found;

	while (spf_term_next(&at, &t)) {
		if (t.kind >= SPF_REDIRECT)
			continue;
		found = t.kind == SPF_INCLUDE ? match_include(c, &t, domain) : spf_match(c, &t, domain);
		if (c->fault != OK || found == AUTH_TEMPERROR || found == AUTH_PERMERROR)
			return found;
		if (found == AUTH_PASS) {
			if (outermost)
				note_match(c, r, &t, domain);
			return t.result;
		}
	}
	if (r->redirect.n == 0)
		return AUTH_NEUTRAL;
	if (spf_count_lookup(c) != AUTH_NONE)
		return AUTH_PERMERROR;
	if (!spf_name_of(c, r->redirect, domain, next))
		return spf_why(c, AUTH_PERMERROR, "the record of " STR_FMT " redirects to what can be no domain",
		               STR_ARG(domain));
	return AUTH_NEUTRAL;
}

/* Of one record; see evaluate. */
static enum auth_result check_domain(struct spf_check *c, str domain, bool outermost, struct buf *next)
{
	ARENA(a, SPF_ANSWER_MEMORY);
	struct spf_record record;
	enum auth_result found = find_record(c, domain, &a, &record);

	return found == AUTH_PASS ? evaluate(c, &record, domain, outermost, next) : found;
}

/* `outermost`: of the domain that was asked about, not of one that is included. */
static enum auth_result check_host(struct spf_check *c, str domain, bool outermost)
{
	BUF(here, SPF_NAME_MAX);
	BUF(next, SPF_NAME_MAX);

	buf_put(&here, domain);
	for (bool redirected = false;; redirected = true) {
		enum auth_result r = check_domain(c, buf_str(&here), outermost, &next);

		if (r == AUTH_NONE && redirected) /* RFC 7208 6.1 */
			return spf_why(c, AUTH_PERMERROR, "a record redirects to " STR_FMT ", which has none",
			               STR_ARG(buf_str(&here)));
		if (next.n == 0 || r != AUTH_NEUTRAL || c->fault != OK)
			return r;
		buf_reset(&here);
		buf_put(&here, buf_str(&next));
		buf_reset(&next);
	}
}

/* --- who is asked about --- */

static bool take_client(struct spf_check *c)
{
	const struct sockaddr_storage *sa = &c->q->client->sa;
	const struct in6_addr *six = &((const struct sockaddr_in6 *)sa)->sin6_addr;

	if (sa->ss_family == AF_INET) {
		c->four = true;
		memcpy(c->octets, &((const struct sockaddr_in *)sa)->sin_addr, 4);
	} else if (sa->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(six)) { /* RFC 7208 5 */
		c->four = true;
		memcpy(c->octets, &six->s6_addr[12], 4);
	} else {
		memcpy(c->octets, six, sizeof(c->octets));
	}
	return sa->ss_family == AF_INET || sa->ss_family == AF_INET6;
}

/* RFC 7208 2.4, 4.3 */
static void take_identity(struct spf_check *c)
{
	const struct spf_query *q = c->q;

	c->out->helo = q->sender.n == 0;
	c->sender = q->sender.n > 0 ? q->sender : arena_printf(c->a, "postmaster@" STR_FMT, STR_ARG(q->helo));
	size_t at = str_find_last(c->sender, '@');
	c->local = at < c->sender.n ? str_take(c->sender, at) : STR_NONE;
	c->origin = str_drop(c->sender, at < c->sender.n ? at + 1 : 0);
	if (c->local.n > 0)
		return;
	c->local = STR("postmaster");
	c->sender = arena_printf(c->a, "postmaster@" STR_FMT, STR_ARG(c->origin));
}

/* RFC 7208 4.3: labels of host names, at least two, and no address literal. */
static bool is_domain(str name)
{
	str last = str_drop(name, str_find_last(name, '.') + 1);
	uint64_t number;

	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.')
			return false;
	}
	return name.n <= DNS_NAME_MAX && str_find(name, '.') < name.n && !str_to_u64(last, UINT64_MAX, &number);
}

/* The domain of the identity, as it is asked for. False: there is none. */
static bool take_domain(struct spf_check *c, struct buf *domain)
{
	str origin = c->origin;

	if (str_ends(origin, STR(".")))
		origin.n--;
	if (!str_is_ascii(origin) && domain_name_fold(origin, c->a, &origin) != OK)
		return false;
	if (origin.n > DNS_NAME_MAX || !spf_name_of(c, STR_NONE, origin, domain) || !is_domain(buf_str(domain)))
		return false;
	c->origin = arena_str(c->a, buf_str(domain));
	return true;
}

static enum auth_result check(struct spf_check *c)
{
	BUF(domain, SPF_NAME_MAX);

	if (!take_client(c))
		return spf_why(c, AUTH_NONE, "the client has no address of the Internet");
	take_identity(c);
	if (!take_domain(c, &domain))
		return spf_why(c, AUTH_NONE, "%s names no domain", c->out->helo ? "HELO" : "the sender's address");
	c->out->domain = c->origin;
	return check_host(c, buf_str(&domain), true);
}

static void say_why(struct spf_check *c)
{
	struct spf_result *out = c->out;

	if (out->result == AUTH_FAIL || out->result == AUTH_SOFTFAIL)
		(void)spf_why(c, out->result,
		              STR_FMT " says that its mail does not come from this address (" STR_FMT ")",
		              STR_ARG(out->domain), STR_ARG(str_take(out->mechanism, 80)));
	else if (out->result == AUTH_PASS || out->result == AUTH_NEUTRAL)
		out->why = STR_NONE;
}

err spf_check(const struct spf_query *q, struct arena *a, struct spf_result *out)
{
	struct spf_check c = {.q = q, .a = a, .out = out};

	*out = (struct spf_result){.result = AUTH_NONE};
	out->result = check(&c);
	if (c.fault == OK)
		say_why(&c);
	if (c.fault == OK && a->full)
		c.fault = err_note(E_LIMIT, "no memory for a check of SPF");
	return c.fault;
}
