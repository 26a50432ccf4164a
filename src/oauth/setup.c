/* SPDX-License-Identifier: ISC */
#include "oauth/setup.h"

#include <stdlib.h>

#include "conf/network.h"
#include "oauth/introspection.h"

enum { FILES_MAX = 1 << 20, REQUEST_MAX = 64 << 10 };

/* The first line of the file. */
static str first_line(str text)
{
	str line, rest;

	(void)str_cut(text, '\n', &line, &rest);
	return str_ends(line, STR("\r")) ? str_take(line, line.n - 1) : line;
}

err setup_new(struct config *config, const struct setup_files *files, struct setup **out)
{
	struct setup *s = calloc(1, sizeof(*s));

	*out = NULL;
	if (s == NULL)
		return err_note(E_MEMORY, "no memory for what is configured");
	s->references = 1;
	s->config = config_hold(config);
	s->memory = ARENA_INIT(FILES_MAX);
	s->files.authorities = arena_str(&s->memory, files->authorities);
	if (files->secret.p != NULL)
		s->files.secret = arena_str(&s->memory, first_line(files->secret));
	err e = config->oauth.kind == OAUTH_NONE ? OK : url_parse(config->oauth.url, &s->url);
	if (e == OK && s->memory.full)
		e = err_note(E_LIMIT, "the authorities are too large");
	if (e == OK)
		*out = s;
	else
		setup_release(s);
	return e;
}

struct setup *setup_hold(struct setup *s)
{
	s->references++;
	return s;
}

void setup_release(struct setup *s)
{
	if (s == NULL || --s->references > 0)
		return;
	if (s->files.secret.n > 0)
		explicit_bzero((char *)(uintptr_t)s->files.secret.p, s->files.secret.n);
	arena_free(&s->memory);
	config_release(s->config);
	free(s);
}

bool setup_same_oauth(const struct setup *a, const struct setup *b)
{
	const struct config_oauth *x = &a->config->oauth, *y = &b->config->oauth;

	return x->kind == y->kind && str_equal(x->url, y->url) && str_equal(x->client, y->client) &&
	       str_equal(x->issuer, y->issuer) && str_equal(x->audience, y->audience) && str_equal(x->user, y->user) &&
	       x->cache == y->cache && str_equal(a->files.authorities, b->files.authorities) &&
	       str_equal(a->files.secret, b->files.secret);
}

/* --- where to --- */

static err one_address(str host, uint16_t port, struct net_address *out, size_t *n)
{
	err e = network_host(host, port, &out[*n]);

	*n += e == OK;
	return e;
}

/* RFC 6761 6.3: nobody is asked where this machine is. */
static err loopback(uint16_t port, struct net_address *out, size_t *n)
{
	err e = one_address(STR("127.0.0.1"), port, out, n);

	return e == OK ? one_address(STR("::1"), port, out, n) : e;
}

static void take(struct http_request *q, struct net_address *to, const struct net_address *from, size_t n)
{
	for (size_t i = 0; i < n && q->addresses_n < HTTP_ADDRESSES_MAX; i++)
		to[q->addresses_n++] = from[i];
}

/* A third of the time for each family, so that one that the DNS does not answer for leaves enough for the other. */
static err ask_dns(const struct url *u, const struct resolver *r, struct http_request *q, struct net_address *to,
                   struct arena *a, nsec deadline)
{
	static const int families[] = {AF_INET6, AF_INET};
	nsec share = (deadline - rt_now()) / 3;

	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		struct net_address *found = NULL;
		struct dns_answer answer;
		size_t n = 0;
		err e = dns_addresses(r, arena_lower(a, u->host), families[i], u->port, a, rt_after(share), &answer,
		                      &found, &n);

		if (e == E_CANCELLED)
			return e;
		if (e == OK)
			take(q, to, found, n);
	}
	return q->addresses_n > 0 ? OK : err_note(E_NOT_FOUND, STR_FMT " has no address", STR_ARG(u->host));
}

static err find_addresses(const struct url *u, const struct resolver *r, struct http_request *q, struct arena *a,
                          nsec deadline)
{
	struct net_address *to = arena_array(a, HTTP_ADDRESSES_MAX, sizeof(*to));

	q->addresses = to;
	if (to == NULL)
		return err_note(E_LIMIT, "no memory for addresses");
	if (one_address(u->host, u->port, to, &q->addresses_n) == OK)
		return OK;
	return u->loopback ? loopback(u->port, to, &q->addresses_n) : ask_dns(u, r, q, to, a, deadline);
}

/* --- asking --- */

/* RFC 6749 2.3.1: both are encoded as in a form first. */
static err log_in(const struct setup *s, struct http_request *q, struct arena *a)
{
	BUF(text, REQUEST_MAX);

	if (s->files.secret.p == NULL)
		return err_note(E_NOT_FOUND, "the secret-file of oauth cannot be read");
	introspection_encode(s->config->oauth.client, &text);
	q->user = arena_str(a, buf_str(&text));
	buf_reset(&text);
	introspection_encode(s->files.secret, &text);
	q->password = arena_str(a, buf_str(&text));
	if (text.p != NULL)
		explicit_bzero(text.p, text.size);
	return text.full || a->full ? err_note(E_LIMIT, "the secret of oauth is too long") : OK;
}

static err fetch(const struct setup *s, const struct outside *o, struct http_request *q, str *body, struct arena *a,
                 nsec deadline)
{
	ARENA(request, REQUEST_MAX);
	err e = q->method_body.n > 0 ? log_in(s, q, &request) : OK;

	if (e == OK)
		e = find_addresses(&s->url, &o->resolver, q, &request, deadline);
	if (e == OK)
		e = o->fetch(q, body, a, deadline);
	if (q->password.n > 0)
		explicit_bzero((char *)(uintptr_t)q->password.p, q->password.n);
	return e;
}

err setup_fetch(const struct setup *s, const struct outside *o, str form, size_t max, str *body, struct arena *a,
                nsec deadline)
{
	static const str accept[] = {STR("Accept: application/json")};
	struct http_request q = {.url = s->config->oauth.url,
	                         .plain = s->url.plain,
	                         .authorities_pem = s->files.authorities,
	                         .method_body = form,
	                         .headers = accept,
	                         .headers_n = ARRAY_LEN(accept),
	                         .max = max};
	err e = fetch(s, o, &q, body, a, deadline);

	if (e == OK || e == E_CANCELLED)
		return e;
	struct err_info why = *err_info();
	return err_set(E_TEMP, 454, "4.7.0", "%s", why.text);
}
