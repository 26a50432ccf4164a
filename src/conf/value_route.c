/* SPDX-License-Identifier: ISC */
/* Routes, and the schedule of the queue. */
#include "conf/hop.h"
#include "conf/network.h"
#include "conf/reader.h"
#include "conf/value.h"

/* NULL: out of memory, which is a fault already. */
static struct config_route *last_route(struct reader *r)
{
	struct config *c = r->config;

	return c->routes_n == 0 ? NULL : &c->routes[c->routes_n - 1];
}

static void pattern_read(struct reader *r, const struct setting *s, const struct token *word)
{
	struct config *c = r->config;
	struct config_route *route = reader_append(r, (void **)&c->routes, &c->routes_n, sizeof(*route));

	(void)s;
	if (route == NULL)
		return;
	*route = (struct config_route){.pattern = word->text, .hop.port = 25};
	if (str_equal(word->text, STR("*")))
		route->pattern = STR("*");
	else if (str_starts(word->text, STR(".")))
		route->pattern = arena_printf(&c->arena, "." STR_FMT,
		                              STR_ARG(value_domain_name(r, word, str_drop(word->text, 1))));
	else
		route->pattern = value_domain_name(r, word, word->text);
}

static void kind_read(struct reader *r, const struct setting *s, const struct token *word)
{
	struct config_route *route = last_route(r);

	hop_read(r, s, word, route == NULL ? &r->nowhere : &route->hop);
}

static void port_read(struct reader *r, const struct setting *s, const struct token *word)
{
	struct config_route *route = last_route(r);
	uint64_t port = 0;

	(void)s;
	if (!str_to_u64(word->text, UINT16_MAX, &port) || port == 0)
		reader_fault(r, word, "\"" STR_FMT "\" is not a port", WORD(word));
	else if (route != NULL && route->hop.kind != HOP_MX)
		reader_fault(r, word, "port is for mx; a server has it behind its name");
	else if (route != NULL)
		route->hop.port = port;
}

/* "alice@example.org", "example.org". */
static void sender_read(struct reader *r, const struct setting *s, const struct token *word)
{
	struct config_route *route = last_route(r);
	size_t at = str_find_last(word->text, '@');
	str local = str_take(word->text, at == word->text.n ? 0 : at);
	str domain = value_domain_name(r, word, local.n > 0 ? str_drop(word->text, at + 1) : word->text);

	(void)s;
	if (route != NULL)
		route->sender = arena_printf(&r->config->arena, STR_FMT "%s" STR_FMT, STR_ARG(local),
		                             local.n > 0 ? "@" : "", STR_ARG(domain));
}

static void tls_read(struct reader *r, const struct setting *s, const struct token *word)
{
	struct config_route *route = last_route(r);
	int i = value_choice_index(s->choices, word->text);

	if (i < 0)
		value_choice_fault(r, s->choices, word, "tls of a route cannot be");
	else if (i == HOP_TLS_NEVER && route != NULL && route->hop.kind == HOP_SMTPS)
		reader_fault(r, word, "smtps is nothing without TLS");
	else if (route != NULL)
		route->tls = (enum hop_tls)i;
}

/* --- user NAME password-file FILE --- */

static void password_file_read(struct reader *r, const struct setting *s, const struct token *word)
{
	struct config_route *route = last_route(r);

	(void)s;
	if (route != NULL)
		route->password_file = value_file_name(r, word);
}

static const struct value_type value_password_file = {.grammar = "FILE", .read = password_file_read};

static void password_word_read(struct reader *r, const struct setting *s, const struct token *word)
{
	(void)s;
	if (!str_equal(word->text, STR("password-file")))
		reader_fault(r, word, "behind the name of the user stands password-file FILE");
	r->then = &value_password_file;
}

static const struct value_type value_password_word = {.grammar = "password-file FILE", .read = password_word_read};

static void user_read(struct reader *r, const struct setting *s, const struct token *word)
{
	struct config_route *route = last_route(r);

	(void)s;
	r->then = &value_password_word;
	if (route == NULL)
		return;
	if (route->hop.kind == HOP_MX) /* a password for whoever the DNS names */
		reader_fault(r, word, "user is for a route to a server, not for mx");
	else if (word->text.n == 0 || str_has_control(word->text))
		reader_fault(r, word, "\"" STR_FMT "\" is not the name of a user", WORD(word));
	route->user = arena_str(&r->config->arena, word->text);
}

/* --- source, loopback --- */

static void source_read(struct reader *r, const struct setting *s, const struct token *word)
{
	struct config_route *route = last_route(r);
	struct net_address address, *to;

	(void)s;
	if (network_host(word->text, 0, &address) != OK) {
		reader_fault(r, word, "\"" STR_FMT "\" is not an address such as 192.0.2.1 or 2001:db8::1", WORD(word));
		return;
	}
	if (route == NULL)
		return;
	to = address.sa.ss_family == AF_INET ? &route->source4 : &route->source6;
	if (to->n > 0)
		reader_fault(r, word, "there are two sources of one family for this route");
	*to = address;
}

static void loopback_read(struct reader *r, const struct setting *s, const struct token *word)
{
	struct config_route *route = last_route(r);
	int i = value_choice_index(s->choices, word->text);

	if (i < 0)
		value_choice_fault(r, s->choices, word, "loopback cannot be");
	else if (route != NULL)
		route->loopback = i == PERMISSION_ALLOW;
}

/* --- printing --- */

static void source_print(struct buf *out, const struct net_address *a)
{
	if (a->n == 0)
		return;
	buf_puts(out, " source ");
	net_address_host(out, a);
}

static void word_print(struct buf *out, const char *option, str word)
{
	if (word.n == 0)
		return;
	buf_printf(out, " %s ", option);
	lexer_print_word(out, word);
}

static void route_print(struct buf *out, const struct config_route *route)
{
	buf_printf(out, "route " STR_FMT " ", STR_ARG(route->pattern));
	hop_print(out, &route->hop);
	if (route->hop.kind == HOP_MX && route->hop.port != 25)
		buf_printf(out, " port %u", (unsigned)route->hop.port);
	word_print(out, "sender", route->sender);
	if (route->tls != HOP_TLS_AUTO)
		buf_printf(out, " tls %s", hop_tls_names[route->tls]);
	word_print(out, "user", route->user);
	word_print(out, "password-file", route->password_file);
	source_print(out, &route->source4);
	source_print(out, &route->source6);
	buf_puts(out, route->loopback ? " loopback allow\n" : "\n");
}

/* The one that stands behind all is not written. */
static void routes_print(struct buf *out, const struct setting *s, const struct config *c)
{
	(void)s;
	for (size_t i = 0; i + 1 < c->routes_n; i++)
		route_print(out, &c->routes[i]);
}

const char *const hop_tls_names[] = {"auto", "required", "verified", "never", NULL};
const struct value_type value_route = {.grammar = "PATTERN", .read = pattern_read, .print = routes_print};
const struct value_type value_hop = {.more = "Op Ar HOST:PORT", .read = kind_read};
const struct value_type value_port = {.grammar = "N", .read = port_read};
const struct value_type value_sender = {.grammar = "ADDRESS", .read = sender_read};
const struct value_type value_route_tls = {.read = tls_read};
const struct value_type value_route_user = {.grammar = "NAME", .more = "Cm password-file Ar FILE", .read = user_read};
const struct value_type value_source = {.grammar = "ADDRESS", .read = source_read};
const struct value_type value_loopback = {.read = loopback_read};

/* --- queue retry --- */

static void retry_read(struct reader *r, const struct setting *s, const struct token *word)
{
	struct config_queue *q = &r->config->queue;
	uint64_t v = 0;

	if (r->nth == 0)
		q->retries = 0;
	if (!value_time.scan(word->text, &v) || v < s->min || v > s->max)
		reader_fault(r, word, "\"" STR_FMT "\" is not %s, from 1s to 1d", WORD(word), value_time.example);
	else if (q->retries == QUEUE_RETRIES_MAX)
		reader_fault(r, word, "more than %d times", QUEUE_RETRIES_MAX);
	else
		q->retry[q->retries++] = (nsec)v;
}

static void retry_print(struct buf *out, const struct setting *s, const struct config *c)
{
	(void)s;
	for (size_t i = 0; i < c->queue.retries; i++) {
		if (i > 0)
			buf_putc(out, ' ');
		value_time.format(out, (uint64_t)c->queue.retry[i]);
	}
}

const struct value_type value_retry = {.grammar = "TIME", .read = retry_read, .print = retry_print};
