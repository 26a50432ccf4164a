/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "rt/net.h"
#include "rt/stream.h"

static struct net_address parse(const char *z)
{
	struct net_address a;

	assert_int_equal(net_address_parse(str_from(z), &a), OK);
	return a;
}

/* A listener at `at`, whose port 0 is replaced by the one that was found free. */
static int listen_at(struct net_address *at)
{
	int fd = -1;

	assert_int_equal(net_listen(at, &fd), OK);
	at->n = sizeof(at->sa);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at->sa, &at->n), 0);
	return fd;
}

struct meeting {
	struct net_address at;
	struct rt_fd listener;
	int clients, left; /* clients to come; those that were not served */
	err accept_error;
	struct net_address peer, source;
	bool nodelay, loopback;
	nsec took;
	struct err_info why;
};

static void serve(void *arg)
{
	int fd = *(int *)arg;
	struct stream *s;
	str line;

	free(arg);
	s = stream_open_fd(fd, 4096);
	if (s == NULL)
		return;
	stream_put(s, STR("220 hello\r\n"));
	if (stream_read_line(s, 100, &line, rt_after(5 * NSEC_PER_SEC)) == OK)
		stream_put(s, line);
	stream_flush(s);
	stream_close(s);
}

static void serve_all(void *arg)
{
	struct meeting *m = arg;
	int fd, *passed;

	for (int i = 0; i < m->clients; i++) {
		m->accept_error = net_accept(&m->listener, &fd, &m->peer, rt_after(5 * NSEC_PER_SEC));
		if (m->accept_error != OK)
			break;

		int on = 0;
		socklen_t n = sizeof(on);

		m->nodelay = getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &n) == 0 && on;
		m->loopback = net_address_is_loopback(&m->peer);
		passed = malloc(sizeof(*passed));
		if (passed == NULL)
			break;
		*passed = fd;
		rt_spawn(serve, passed, "server");
	}
	rt_fd_close(&m->listener);
}

static void visit(void *arg)
{
	struct meeting *m = arg;
	struct stream *s;
	str line;
	int fd;

	if (net_connect(&m->at, NULL, &fd, rt_after(5 * NSEC_PER_SEC)) != OK)
		return;
	s = stream_open_fd(fd, 4096);
	if (s == NULL)
		return;
	if (stream_read_line(s, 100, &line, rt_after(5 * NSEC_PER_SEC)) == OK) {
		stream_put(s, STR("echo\n"));
		if (stream_read_line(s, 100, &line, rt_after(5 * NSEC_PER_SEC)) == OK && str_equal(line, STR("echo\n")))
			m->left--;
	}
	stream_close(s);
}

static void meet(void *arg)
{
	struct meeting *m = arg;

	rt_spawn(serve_all, m, "listener");
	for (int i = 0; i < m->clients; i++)
		rt_spawn(visit, m, "client");
}

static void meet_at(const char *where, bool unix_socket)
{
	struct meeting m = {.at = parse(where), .clients = 40, .left = 40};

	rt_fd_init(&m.listener, listen_at(&m.at));
	assert_int_equal(rt_run(meet, &m), OK);
	assert_int_equal(m.accept_error, OK);
	assert_int_equal(m.left, 0);
	assert_true(m.loopback);
	assert_true(m.nodelay || unix_socket);
}

static void test_meet_over_tcp(void **state UNUSED)
{
	meet_at("127.0.0.1:0", false);
	meet_at("[::1]:0", false);
}

static char folder[] = "/tmp/test-net-XXXXXX";

static const char *in_folder(char out[64])
{
	snprintf(out, 64, "unix:%s/s", folder);
	return out;
}

static void test_meet_over_unix_socket(void **state UNUSED)
{
	char where[64];

	meet_at(in_folder(where), true);
	meet_at(in_folder(where), true); /* the first one's socket is stale */
	unlink(where + 5);
}

static void test_listener_in_use(void **state UNUSED)
{
	char where[64];
	struct net_address tcp = parse("127.0.0.1:0"), path = parse(in_folder(where)), file;
	int a = listen_at(&tcp), b = listen_at(&path), fd;

	assert_int_equal(net_listen(&tcp, &fd), E_EXISTS);
	assert_int_equal(net_listen(&path, &fd), E_EXISTS);
	close(a);
	close(b);
	unlink(where + 5);

	fd = open(where + 5, O_CREAT | O_WRONLY | O_CLOEXEC, 0600); /* a file is not replaced */
	assert_true(fd >= 0);
	close(fd);
	file = parse(where);
	assert_int_equal(net_listen(&file, &fd), E_EXISTS);
	assert_int_equal(unlink(where + 5), 0);
}

static void connect_to_nobody(void *arg)
{
	struct meeting *m = arg;
	int fd;

	m->accept_error = net_connect(&m->at, NULL, &fd, rt_after(NSEC_PER_SEC));
	m->why = *err_info();
}

static void test_nobody_there(void **state UNUSED)
{
	struct meeting m = {.at = parse("127.0.0.1:0")};

	close(listen_at(&m.at));
	assert_int_equal(rt_run(connect_to_nobody, &m), OK);
	assert_int_equal(m.accept_error, E_CLOSED);
	assert_non_null(strstr(m.why.text, "connect to 127.0.0.1:"));
	assert_non_null(strstr(m.why.text, "Connection refused"));
	m.at = parse("unix:/nonexistent/socket");
	assert_int_equal(rt_run(connect_to_nobody, &m), OK);
	assert_int_equal(m.accept_error, E_NOT_FOUND);
}

/* A listener whose queue is full answers no more. */
static void connect_until_it_is_full(void *arg)
{
	struct meeting *m = arg;
	int fds[8];
	size_t n = 0;

	while (n < ARRAY_LEN(fds)) {
		m->accept_error = net_connect(&m->at, NULL, &fds[n], rt_after(200 * NSEC_PER_MSEC));
		m->why = *err_info();
		if (m->accept_error != OK)
			break;
		n++;
	}
	while (n > 0)
		close(fds[--n]);
}

static void test_nobody_answers(void **state UNUSED)
{
	struct meeting m = {.at = parse("127.0.0.1:0")};
	int fd = listen_at(&m.at);

	assert_int_equal(listen(fd, 0), 0);
	assert_int_equal(rt_run(connect_until_it_is_full, &m), OK);
	assert_int_equal(m.accept_error, E_TIMEOUT);
	assert_non_null(strstr(m.why.text, "no answer in time"));
	close(fd);
}

static void connect_from_source(void *arg)
{
	struct meeting *m = arg;
	int client, fd = -1;

	m->accept_error = net_connect(&m->at, &m->source, &client, rt_after(5 * NSEC_PER_SEC));
	m->why = *err_info();
	if (m->accept_error == OK) {
		m->accept_error = net_accept(&m->listener, &fd, &m->peer, rt_after(5 * NSEC_PER_SEC));
		close(client);
		close(fd);
	}
	rt_fd_close(&m->listener);
}

static bool is_local(const char *text)
{
	struct net_address a = parse(text);

	return net_is_local(&a);
}

static void test_local_addresses(void **state UNUSED)
{
	assert_true(is_local("127.0.0.1:25"));
	assert_true(is_local("127.9.8.7:25"));
	assert_true(is_local("0.0.0.0:25"));
	assert_false(is_local("240.0.0.1:25"));
	assert_false(is_local("192.0.2.199:25"));
	assert_false(is_local("[100::1]:25"));
	assert_false(is_local("unix:/tmp/socket"));
}

static void test_source_address(void **state UNUSED)
{
	struct meeting m = {.at = parse("127.0.0.1:0"), .source = parse("127.9.8.7:0")};

	rt_fd_init(&m.listener, listen_at(&m.at));
	assert_int_equal(rt_run(connect_from_source, &m), OK);
	assert_int_equal(m.accept_error, OK);
	assert_true(net_address_equal_host(&m.peer, &m.source));

	m.at = parse("127.0.0.1:0");
	m.source = parse("192.0.2.1:0");
	rt_fd_init(&m.listener, listen_at(&m.at));
	assert_int_equal(rt_run(connect_from_source, &m), OK);
	assert_int_equal(m.accept_error, E_IO);
	assert_string_equal(m.why.text, "connect from 192.0.2.1: Cannot assign requested address");
}

static void accept_nobody(void *arg)
{
	struct meeting *m = arg;
	int fd;

	m->accept_error = net_accept(&m->listener, &fd, &m->peer, rt_after(10 * NSEC_PER_MSEC));
	rt_fd_close(&m->listener);
}

static void test_accept_times_out(void **state UNUSED)
{
	struct meeting m = {.at = parse("127.0.0.1:0")};

	rt_fd_init(&m.listener, listen_at(&m.at));
	assert_int_equal(rt_run(accept_nobody, &m), OK);
	assert_int_equal(m.accept_error, E_TIMEOUT);
}

/* Gives the descriptors back after a while. */
static void lift_limit(void *arg)
{
	(void)!rt_sleep_until(rt_after(150 * NSEC_PER_MSEC));
	setrlimit(RLIMIT_NOFILE, arg);
}

static void accept_without_descriptors(void *arg)
{
	struct meeting *m = arg;
	struct rlimit old, none;
	nsec start = rt_now();
	int client, fd = -1;

	if (net_connect(&m->at, NULL, &client, rt_after(NSEC_PER_SEC)) != OK || getrlimit(RLIMIT_NOFILE, &old) != 0)
		return;
	none = old;
	none.rlim_cur = (rlim_t)client + 1;
	setrlimit(RLIMIT_NOFILE, &none);
	rt_spawn(lift_limit, &old, "lifts");
	m->accept_error = net_accept(&m->listener, &fd, &m->peer, rt_after(5 * NSEC_PER_SEC));
	m->took = rt_now() - start;
	close(fd);
	close(client);
	rt_fd_close(&m->listener);
}

static void test_out_of_descriptors(void **state UNUSED)
{
	struct meeting m = {.at = parse("127.0.0.1:0"), .accept_error = E_IO};

	rt_fd_init(&m.listener, listen_at(&m.at));
	log_to(-1);
	assert_int_equal(rt_run(accept_without_descriptors, &m), OK);
	assert_int_equal(m.accept_error, OK);
	assert_true(m.took >= 150 * NSEC_PER_MSEC && m.took < 2 * NSEC_PER_SEC);
}

static int setup(void **state UNUSED)
{
	return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state UNUSED)
{
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_meet_over_tcp),      cmocka_unit_test(test_meet_over_unix_socket),
		cmocka_unit_test(test_listener_in_use),    cmocka_unit_test(test_nobody_there),
		cmocka_unit_test(test_nobody_answers),     cmocka_unit_test(test_source_address),
		cmocka_unit_test(test_local_addresses),    cmocka_unit_test(test_accept_times_out),
		cmocka_unit_test(test_out_of_descriptors),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
