/* SPDX-License-Identifier: ISC */
#include "cli/discover.h"

#include <netdb.h>
#include <sys/stat.h>

#include "cli/system_resolver.h"
#include "dns/dns.h"

#define SRV_TIME (20 * NSEC_PER_SEC)

enum { PORT_SUBMISSIONS = 465, ADDRESSES_MAX = 20 };

/* --- addresses, as the system finds them (hosts file and all): that may take its time, in a thread --- */

struct lookup {
	const char *host;
	char port[8];
	struct addrinfo *found;
	int result;
};

static void lookup_run(void *arg)
{
	struct lookup *l = arg;
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};

	l->result = getaddrinfo(l->host, l->port, &hints, &l->found);
}

err discover_addresses(struct discovered *d, struct arena *a)
{
	struct lookup l = {.host = arena_z(a, d->host)};

	if (d->local)
		return OK;
	(void)snprintf(l.port, sizeof(l.port), "%u", d->port);
	d->addresses = arena_array(a, ADDRESSES_MAX, sizeof(*d->addresses));
	if (l.host == NULL || d->addresses == NULL)
		return err_note(E_SYNTAX, "\"" STR_FMT "\" is no host", STR_ARG(d->host));
	rt_work(lookup_run, &l);
	if (l.result != 0)
		return err_note(E_NOT_FOUND, STR_FMT ": %s", STR_ARG(d->host), gai_strerror(l.result));
	for (struct addrinfo *i = l.found; i != NULL && d->addresses_n < ADDRESSES_MAX; i = i->ai_next) {
		struct net_address *to = &d->addresses[d->addresses_n++];

		memcpy(&to->sa, i->ai_addr, i->ai_addrlen);
		to->n = i->ai_addrlen;
	}
	freeaddrinfo(l.found);
	return OK;
}

/* --- the server that was said --- */

static err read_server(str text, struct discovered *d, struct arena *a)
{
	size_t colon = str_find_last(text, ':');
	uint64_t port = PORT_SUBMISSIONS;

	d->name = arena_str(a, text);
	if (str_starts(text, STR("unix:"))) {
		d->local = true;
		d->host = STR("localhost");
		d->addresses_n = 1;
		d->addresses = arena_array(a, 1, sizeof(*d->addresses));
		return d->addresses == NULL ? err_note(E_MEMORY, "out of memory")
		                            : net_address_parse(text, d->addresses);
	}
	if (colon < text.n && text.p[text.n - 1] != ']') {
		if (!str_to_u64(str_drop(text, colon + 1), UINT16_MAX, &port) || port == 0)
			return err_note(E_SYNTAX, "\"" STR_FMT "\" has no port that there is", STR_ARG(text));
		text = str_take(text, colon);
	}
	if (text.n > 2 && text.p[0] == '[' && text.p[text.n - 1] == ']')
		text = str_make(text.p + 1, text.n - 2);
	d->host = arena_lower(a, text);
	d->port = (uint16_t)port;
	d->name = arena_printf(a, STR_FMT ":%u", STR_ARG(d->host), d->port);
	return OK;
}

/* --- what the domain publishes --- */

static bool is_within(str host, str domain)
{
	return str_equal_nocase(host, domain) ||
	       (str_ends_nocase(host, domain) && host.n > domain.n && host.p[host.n - domain.n - 1] == '.');
}

/* RFC 6186 6: a name of another domain is one that anybody on the way may have put there, unless the answer was signed. Such targets are passed over. */
static err choose(const struct dns_srv *srv, size_t n, enum dns_security security, str domain, struct arena *a,
                  struct discovered **out, size_t *out_n)
{
	*out = arena_array(a, n, sizeof(**out));
	if (*out == NULL)
		return err_note(E_MEMORY, "out of memory");
	for (size_t i = 0; i < n; i++) {
		struct discovered *d = &(*out)[*out_n];

		if (!is_within(srv[i].host, domain) && security != DNS_SECURE)
			continue;
		d->host = arena_str(a, srv[i].host);
		d->port = srv[i].port;
		d->name = arena_printf(a, STR_FMT ":%u", STR_ARG(d->host), d->port);
		++*out_n;
	}
	return *out_n > 0 ? OK
	                  : err_note(E_NOT_FOUND,
	                             STR_FMT " names the server " STR_FMT
	                                     ":%u, which is in another domain; say --server if that is right",
	                             STR_ARG(domain), STR_ARG(srv->host), srv->port);
}

/* One service of the domain. E_NOT_FOUND, with `*published`: nobody that may be asked. */
static err ask_service(const struct resolver *r, const char *service, str domain, struct arena *a,
                       struct discovered **out, size_t *n, bool *published)
{
	str name = arena_printf(a, "%s" STR_FMT, service, STR_ARG(domain));
	struct dns_answer answer;
	struct dns_srv *srv;
	size_t srv_n;
	err e = dns_srv(r, name, a, rt_after(SRV_TIME), &answer, &srv, &srv_n);

	*published = e == OK && srv_n > 0 && srv[0].host.n > 0; /* RFC 2782: "." is decidedly not there */
	if (e != OK)
		return e;
	return *published ? choose(srv, srv_n, answer.security, domain, a, out, n) : E_NOT_FOUND;
}

static err ask_domain(const struct submit_server *how, str domain, struct arena *a, struct discovered **out, size_t *n)
{
	static const struct {
		const char *name;
		enum submit_tls tls; /* on whatever port it is */
	} services[] = {{"_submissions._tcp.", SUBMIT_TLS_IMPLICIT}, {"_submission._tcp.", SUBMIT_TLS_STARTTLS}};
	struct system_resolver system;
	bool published = false;
	err e = system_resolver_init(&system, how->resolver);

	if (e != OK)
		return e;
	for (size_t i = 0; i < ARRAY_LEN(services); i++) {
		e = ask_service(&system.resolver, services[i].name, domain, a, out, n, &published);
		for (size_t k = 0; k < *n; k++)
			(*out)[k].tls = services[i].tls;
		if (published || e != E_NOT_FOUND)
			return e;
	}
	return err_note(E_NOT_FOUND,
	                STR_FMT " publishes no server for submission; say --server, or write it into the file of "
	                        "defaults",
	                STR_ARG(domain));
}

static bool socket_exists(void)
{
	struct stat st;

	return stat(strchr(SUBMIT_SOCKET, '/'), &st) == 0 && S_ISSOCK(st.st_mode);
}

err discover(const struct submit_server *how, str address, struct arena *a, struct discovered **out, size_t *n)
{
	const char *said = how->server != NULL                    ? how->server
	                   : how->user == NULL && socket_exists() ? SUBMIT_SOCKET
	                                                          : NULL;
	size_t at = str_find_last(address, '@');

	*n = 0;
	if (said == NULL && at == address.n)
		return err_note(E_NOT_FOUND, "no server is known: say --server, or --from with a domain");
	if (said == NULL)
		return ask_domain(how, str_drop(address, at + 1), a, out, n);
	*n = 1;
	*out = arena_alloc(a, sizeof(**out));
	return *out == NULL ? err_note(E_MEMORY, "out of memory") : read_server(str_from(said), *out, a);
}
