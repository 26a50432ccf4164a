/* SPDX-License-Identifier: ISC */
/* A role driven as the monitor drives it, in one process: process.c, edge.c and filter.c with real sockets. */
#include "base/test.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "role/process.h"
#include "role/spawn.h"
#include "role/tasks.h"
#include "rt/stream.h"

#define SECOND NSEC_PER_SEC

static const char config_text[] =
	"version 1\nhostname mail.example.org\ndomain example.org\nprocesses edge 1 filter 1\n"
	"limit connections 3 per-address %d\nlimit hops 20\n";

struct role_run {
	const struct role_type *type;
	struct link_sockets sockets;
	bool ended;
};

static struct link *control;
static struct link_service monitor_service; /* what the role may call */
static struct role_run running;
static struct tasks tasks;
static struct net_address address;
static int listener;

static void run_role(void *arg)
{
	struct role_run *r = arg;

	assert_int_equal(process_run(r->type, 0, true, r->sockets.stream[1], r->sockets.descriptors[1]), OK);
	r->ended = true;
}

static void role_start(const struct role_type *type)
{
	running = (struct role_run){.type = type};
	control = link_new("edge-0", &monitor_service);
	assert_int_equal(link_sockets_open(&running.sockets), OK);
	assert_int_equal(tasks_start(&tasks, run_role, &running, "role"), OK);
	assert_int_equal(link_attach(control, running.sockets.stream[0], running.sockets.descriptors[0]), OK);
}

static void role_end(void)
{
	link_detach(control);
	assert_int_equal(tasks_wait(&tasks, rt_after(5 * SECOND)), OK);
	assert_true(running.ended);
	link_free(control);
}

static err configure(const char *text, bool first)
{
	struct configure_reply r;
	ARENA(a, 64 << 10);

	return call_configure(control, &(struct configure_request){str_from(text), first}, &r, &a,
	                      rt_after(5 * SECOND));
}

static err configure_limit(int per_address, bool first)
{
	char text[400];

	snprintf(text, sizeof(text), config_text, per_address);
	return configure(text, first);
}

static err listen_on(int fd)
{
	struct listen_request q = {STR("smtp"), STR("test"), fd};
	struct listen_reply r;
	ARENA(a, 4096);

	return call_listen(control, &q, &r, &a, rt_after(5 * SECOND));
}

static void port_open(void)
{
	address.n = sizeof(address.sa);
	struct net_address any;
	assert_int_equal(net_address_parse(STR("127.0.0.1:0"), &any), OK);
	assert_int_equal(net_listen(&any, &listener), OK);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address.sa, &address.n), 0);
}

static struct stream *connect_client(void)
{
	int fd;

	assert_int_equal(net_connect(&address, NULL, &fd, rt_after(5 * SECOND)), OK);
	return stream_open_fd(fd, 4096);
}

static void expect_line(struct stream *s, const char *begin)
{
	str line;

	assert_int_equal(stream_read_line(s, 1000, &line, rt_after(5 * SECOND)), OK);
	if (!str_starts(line, str_from(begin)))
		fail_msg("\"" STR_FMT "\", not %s", STR_ARG(str_trim(line)), begin);
}

static void say(struct stream *s, const char *line)
{
	stream_put(s, str_from(line));
	assert_int_equal(stream_flush(s), OK);
}

static void expect_end(struct stream *s)
{
	str line;

	assert_int_equal(stream_read_line(s, 1000, &line, rt_after(5 * SECOND)), E_CLOSED);
	stream_close(s);
}

static void edge_begin(int per_address)
{
	role_start(&role_edge);
	assert_int_equal(configure("version 1\n", true), E_SYNTAX);
	assert_int_equal(configure_limit(per_address, true), OK);
	port_open();
	assert_int_equal(listen_on(listener), OK);
}

/* --- a link to a sibling that breaks --- */

static char asked_for[40];

static err serve_relink(void *ctx UNUSED, struct link *from UNUSED, const void *request, void *reply UNUSED,
                        struct arena *a UNUSED)
{
	const struct relink_request *q = request;

	snprintf(asked_for, sizeof(asked_for), STR_FMT, STR_ARG(q->sibling));
	return err_set(E_TEMP, 0, NULL, "not yet");
}

/* The other end, which the role's sibling would have. */
static int attach_sibling(const char *role)
{
	struct link_sockets s;
	struct attach_reply r;
	ARENA(a, 4096);

	assert_int_equal(link_sockets_open(&s), OK);
	struct attach_request q = {str_from(role), 0, s.stream[0], s.descriptors[0]};
	assert_int_equal(call_attach(control, &q, &r, &a, rt_after(5 * SECOND)), OK);
	link_sockets_close(&s, 0);
	close(s.descriptors[1]);
	return s.stream[1];
}

static void break_link(int fd)
{
	assert_int_equal(write(fd, "\xff\xff\xff\xff garbage", 12), 12);
	close(fd);
}

static void wait_until_asked_for(const char *name)
{
	nsec end = rt_after(10 * SECOND);

	while (strcmp(asked_for, name) != 0 && rt_now() < end)
		assert_int_equal(rt_sleep_until(rt_after(SECOND / 100)), OK);
	assert_string_equal(asked_for, name);
	asked_for[0] = '\0';
}

static void run_broken_links(void *arg UNUSED)
{
	monitor_service.handlers[CALL_relink] = serve_relink;
	edge_begin(10);
	int store = attach_sibling("store"), filter = attach_sibling("filter"), earlier = attach_sibling("alpha");
	break_link(earlier); /* the first of two by name asks */
	break_link(store);
	wait_until_asked_for("store-0");
	wait_until_asked_for("store-0"); /* it does not give up */
	store = attach_sibling("store");
	break_link(filter);
	wait_until_asked_for("filter-0");
	attach_sibling("filter");
	close(store);
	wait_until_asked_for("store-0");
	role_end();
}

static void test_links_that_break(void **state UNUSED)
{
	assert_int_equal(rt_run(run_broken_links, NULL), OK);
}

static void run_sessions(void *arg UNUSED)
{
	edge_begin(10);
	struct stream *s = connect_client();
	expect_line(s, "220 mail.example.org ESMTP");
	say(s, "HELO client\r\nMAIL FROM:<>\r\nRCPT TO:<alice@example.org>\r\nQUIT\r\n");
	expect_line(s, "250 ");
	expect_line(s, "250 ");
	expect_line(s, "451 4.3.0"); /* no store is linked */
	expect_line(s, "221 ");
	expect_end(s);
	role_end();
	close(listener);
}

static void test_sessions(void **state UNUSED)
{
	assert_int_equal(rt_run(run_sessions, NULL), OK);
}

static void run_limits(void *arg UNUSED)
{
	struct stream *s[4];

	edge_begin(2);
	for (int i = 0; i < 2; i++) {
		s[i] = connect_client();
		expect_line(s[i], "220 ");
	}
	s[2] = connect_client();
	expect_line(s[2], "421 4.7.0 too many connections from your address");
	expect_end(s[2]);
	assert_int_equal(configure_limit(10, false), OK); /* a reload */
	s[2] = connect_client();
	expect_line(s[2], "220 ");
	s[3] = connect_client();
	expect_line(s[3], "421 4.7.0 too many connections,");
	expect_end(s[3]);
	say(s[0], "QUIT\r\n"); /* makes room */
	expect_line(s[0], "221 ");
	expect_end(s[0]);
	s[3] = connect_client();
	expect_line(s[3], "220 ");
	for (int i = 1; i < 4; i++)
		stream_close(s[i]);
	role_end(); /* with sessions that just lost their client */
	close(listener);
}

static void test_limits(void **state UNUSED)
{
	assert_int_equal(rt_run(run_limits, NULL), OK);
}

static void run_drain(void *arg UNUSED)
{
	struct shutdown_reply r;
	ARENA(a, 4096);

	edge_begin(10);
	struct stream *idle = connect_client(), *busy = connect_client();
	expect_line(idle, "220 ");
	expect_line(busy, "220 ");
	nsec before = rt_now();
	say(busy, "QUIT\r\n");
	expect_line(busy, "221 ");
	expect_end(busy);
	assert_int_equal(call_shutdown(control, &(struct shutdown_request){300}, &r, &a, rt_after(5 * SECOND)), OK);
	assert_true(rt_now() - before < 250 * NSEC_PER_MSEC); /* who only waits for his next command is told at once */
	expect_line(idle, "421 4.3.2");
	expect_end(idle);
	role_end();
	close(listener);
}

static void test_drain(void **state UNUSED)
{
	assert_int_equal(rt_run(run_drain, NULL), OK);
}

static void run_unlisten(void *arg UNUSED)
{
	int fd;

	edge_begin(10);
	assert_int_equal(listen_on(listener), OK); /* again: replaces */
	struct stream *s = connect_client();
	expect_line(s, "220 ");
	assert_int_equal(listen_on(-1), OK);
	close(listener);
	assert_int_equal(net_connect(&address, NULL, &fd, rt_after(5 * SECOND)), E_CLOSED);
	say(s, "NOOP\r\n"); /* who is there stays */
	expect_line(s, "250 ");
	role_end();
	stream_close(s);
}

static void test_unlisten(void **state UNUSED)
{
	assert_int_equal(rt_run(run_unlisten, NULL), OK);
}

static void run_filter(void *arg UNUSED)
{
	struct link_sockets s;
	struct attach_reply ar;
	struct inspect_reply r;
	ARENA(a, 64 << 10);
	struct link *edge = link_new("filter-0", NULL);

	role_start(&role_filter);
	assert_int_equal(configure_limit(1, true), OK);
	assert_int_equal(link_sockets_open(&s), OK);
	struct attach_request q = {STR("edge"), 0, s.stream[1], s.descriptors[1]};
	assert_int_equal(call_attach(control, &q, &ar, &a, rt_after(5 * SECOND)), OK);
	link_sockets_close(&s, 1);
	assert_int_equal(link_attach(edge, s.stream[0], s.descriptors[0]), OK);
	struct origin origin = {.session = STR("s")};
	struct inspect_request iq = {
		.origin = &origin, .origin_n = 1, .body = BODY_OF(STR("Subject: x y\r\n\r\nz\r\n"))};
	assert_int_equal(call_inspect(edge, &iq, &r, &a, rt_after(5 * SECOND)), OK);
	assert_int_equal(r.code, OK);
	assert_str(r.subject, "x y");
	assert_int_equal(listen_on(0), E_DENIED); /* a filter does not listen */
	role_end();
	link_free(edge);
}

static void test_filter(void **state UNUSED)
{
	assert_int_equal(rt_run(run_filter, NULL), OK);
}

int main(void)
{
	log_setup("test", LOG_LEVEL_ERROR, false);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_links_that_break), cmocka_unit_test(test_sessions),
		cmocka_unit_test(test_limits),           cmocka_unit_test(test_drain),
		cmocka_unit_test(test_unlisten),         cmocka_unit_test(test_filter),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
