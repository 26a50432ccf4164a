/* SPDX-License-Identifier: ISC */
#include "cli/system_resolver.h"

#include <arpa/nameser.h>
#include <netdb.h>

enum { ANSWER_MAX = 65535 };

/* One question in a thread: libresolv waits. */
struct question {
	const struct system_resolver *system;
	const char *name;
	int type;
	unsigned char *answer;
	int n, error;
};

static void use_server(struct __res_state *state, const char *server)
{
	struct net_address to;

	if (server == NULL || net_address_parse(str_from(server), &to) != OK || to.sa.ss_family != AF_INET)
		return;
	memcpy(&state->nsaddr_list[0], &to.sa, sizeof(state->nsaddr_list[0]));
	state->nscount = 1;
}

static void question_run(void *arg)
{
	struct question *q = arg;
	struct __res_state state = {0};

	q->n = -1;
	q->error = TRY_AGAIN;
	if (res_ninit(&state) != 0)
		return;
	use_server(&state, q->system->server);
	q->n = res_nquery(&state, q->name, ns_c_in, q->type, q->answer, ANSWER_MAX);
	q->error = state.res_h_errno;
	res_nclose(&state);
}

/* Octets before the name that ends the data; false: there is none, or of a type that is not asked for. */
static bool name_offset(int type, size_t *at)
{
	switch (type) {
	case ns_t_srv:
		*at = 6;
		return true;
	case ns_t_mx:
		*at = 2;
		return true;
	case ns_t_cname:
		*at = 0;
		return true;
	default:
		return false;
	}
}

/* Data with its name written out, as dns/ wants it. */
static str record_data(ns_msg *m, ns_rr *rr, struct arena *a)
{
	unsigned char name[NS_MAXCDNAME];
	str data = str_make((const char *)ns_rr_rdata(*rr), ns_rr_rdlen(*rr));
	size_t at;

	if (!name_offset((int)ns_rr_type(*rr), &at) || data.n <= at)
		return arena_str(a, data);
	if (ns_name_unpack(ns_msg_base(*m), ns_msg_end(*m), ns_rr_rdata(*rr) + at, name, sizeof(name)) < 0)
		return STR_NONE;
	size_t n = 0;
	while (n < sizeof(name) && name[n] != 0)
		n += name[n] + 1u;
	BUF(out, 512);
	buf_put(&out, str_take(data, at));
	buf_put(&out, str_make((const char *)name, n + 1));
	return arena_str(a, buf_str(&out));
}

static err read_answer(const struct question *q, struct resolve_reply *r, struct arena *a)
{
	ns_msg m;
	ns_rr rr;

	if (ns_initparse(q->answer, q->n, &m) != 0)
		return err_set(E_SYNTAX, 451, "4.4.3", "The name server's answer is malformed");
	int n = ns_msg_count(m, ns_s_an);
	r->records = arena_array(a, (size_t)n, sizeof(*r->records));
	for (int i = 0; i < n && r->records != NULL; i++) {
		if (ns_parserr(&m, ns_s_an, i, &rr) != 0)
			return err_set(E_SYNTAX, 451, "4.4.3", "The name server's answer is malformed");
		if ((int)ns_rr_type(rr) != q->type)
			continue;
		r->ttl = ns_rr_ttl(rr);
		r->records[r->records_n++].data = record_data(&m, &rr, a);
	}
	r->canonical = arena_str(a, str_from(q->name));
	return r->records == NULL || a->full ? err_note(E_MEMORY, "out of memory") : OK;
}

static err ask(void *ctx, const struct resolve_request *request, struct resolve_reply *r, struct arena *a, nsec deadline UNUSED)
{
	struct question q = {.system = ctx, .name = arena_z(a, request->name), .type = (int)request->type};

	q.answer = arena_alloc(a, ANSWER_MAX);
	if (q.name == NULL || q.answer == NULL)
		return err_note(E_MEMORY, "out of memory");
	rt_work(question_run, &q);
	*r = (struct resolve_reply){.security = DNS_INSECURE};
	if (q.n >= 0)
		return read_answer(&q, r, a);
	if (q.error == HOST_NOT_FOUND || q.error == NO_DATA) {
		r->rcode = q.error == HOST_NOT_FOUND ? ns_r_nxdomain : ns_r_noerror;
		return OK;
	}
	return err_set(E_TEMP, 451, "4.4.3", "No name server answers");
}

err system_resolver_init(struct system_resolver *s, const char *server)
{
	struct net_address to;

	*s = (struct system_resolver){.resolver = {.ask = ask}, .server = server};
	s->resolver.ctx = s;
	if (server != NULL && net_address_parse(str_from(server), &to) != OK)
		return err_note(E_SYNTAX, "\"%s\" is no address with a port", server);
	return OK;
}
