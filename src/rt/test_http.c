/* SPDX-License-Identifier: ISC */
/* Documents from a server in the same loop. */
#include "base/test.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "rt/http.h"
#include "rt/private_key.h"
#include "rt/stream.h"
#include "rt/tls.h"

#define SOON (rt_after(10 * NSEC_PER_SEC))

static struct buf key_pem, chain_pem, stranger_key_pem, stranger_pem;
static struct private_key *key;
static struct tls_context *context;

enum conduct { ANSWERS, SILENT, CLOSES_AT_ONCE, CLOSES_AFTER_TLS, SAYS_NO_TLS, NEVER_ENDS_HEADER, NEVER_ENDS_BODY };

/* What is asked of whom, and what came of it; compared after the loop, as cmocka leaves by longjmp. */
struct scene {
	enum conduct conduct;
	const char *reply;
	struct http_request q;
	const char *url; /* NULL: https://mta-sts.example.com/policy */
	int times, at_once;
	nsec patience;  /* 0: SOON */
	nsec cancel_at; /* 0: never */
	bool dead_first;
	/* out */
	err result;
	struct err_info why;
	char body[256], request[4096];
	int connections, good;
	/* in between */
	struct rt_fd listener;
	struct net_address addresses[2];
	int left;
};

static err sign(void *ctx, uint64_t number, enum tls_sign kind, str input, struct buf *out)
{
	(void)ctx, (void)number;
	return private_key_sign(key, kind, input, out);
}

/* --- the server --- */

/* The request into scene->request: false when none came. */
static bool hear(struct scene *scene, struct stream *s)
{
	BUF(all, sizeof(scene->request) - 1);
	uint64_t body = 0;
	char bytes[1024];
	str line;

	do {
		if (stream_read_line(s, 1000, &line, SOON) != OK)
			return false;
		buf_put(&all, line);
		if (str_starts_nocase(line, STR("Content-Length: ")) &&
		    !str_to_u64(str_trim(str_drop(line, 16)), sizeof(bytes), &body))
			return false;
	} while (!str_equal(line, STR("\r\n")));
	if (stream_read(s, bytes, (size_t)body, SOON) != OK)
		return false;
	buf_put(&all, str_make(bytes, (size_t)body));
	snprintf(scene->request, sizeof(scene->request), STR_FMT, STR_ARG(buf_str(&all)));
	return true;
}

static void pour(struct stream *s, const char *begin, const char *more)
{
	stream_put(s, str_from(begin));
	while (stream_flush(s) == OK)
		for (int i = 0; i < 100; i++)
			stream_put(s, str_from(more));
}

static void answer(struct scene *scene, struct stream *s)
{
	while (hear(scene, s)) {
		if (scene->conduct == NEVER_ENDS_HEADER)
			pour(s, "HTTP/1.1 200 OK\r\n", "X-Long: and longer\r\n");
		else if (scene->conduct == NEVER_ENDS_BODY)
			pour(s, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "4\r\nabcd\r\n");
		if (scene->reply == NULL)
			break;
		stream_put(s, str_from(scene->reply));
		(void)!stream_flush(s);
		if (strstr(scene->reply, "Connection: close") != NULL)
			break;
	}
}

static void converse(struct scene *scene, struct stream *s)
{
	str hello;

	if (scene->conduct == CLOSES_AT_ONCE)
		return;
	if (scene->conduct == SILENT) {
		while (stream_peek(s, &hello, SOON) == OK)
			stream_consume(s, hello.n);
		return;
	}
	if (scene->conduct == SAYS_NO_TLS)
		stream_put(s, STR("220 mail.example.com ESMTP\r\n"));
	else if (scene->q.plain || stream_start_tls(s, context, SOON, STR("test")) == OK) {
		if (scene->conduct != CLOSES_AFTER_TLS)
			answer(scene, s);
	}
	(void)stream_flush(s);
}

struct visit {
	struct scene *scene;
	int fd;
};

static void serve(void *arg)
{
	struct visit v = *(struct visit *)arg;
	struct stream *s = stream_open_fd(v.fd, 16 << 10);

	free(arg);
	if (s == NULL)
		return;
	converse(v.scene, s);
	stream_close(s);
}

static void serve_all(void *arg)
{
	struct scene *scene = arg;
	struct net_address peer;
	int fd;

	while (net_accept(&scene->listener, &fd, &peer, SOON) == OK) {
		struct visit *v = malloc(sizeof(*v));

		*v = (struct visit){scene, fd};
		scene->connections++;
		rt_spawn(serve, v, "server");
	}
}

/* --- the client --- */

static void fetch(void *arg)
{
	struct scene *scene = arg;
	ARENA(a, 1 << 20);
	str body;

	for (int i = 0; i < scene->times; i++) {
		nsec deadline = scene->patience == 0 ? SOON : rt_after(scene->patience);
		err e = http_fetch(&scene->q, &body, &a, deadline);

		if (e == OK) {
			scene->good++;
			snprintf(scene->body, sizeof(scene->body), STR_FMT, STR_ARG(body));
		} else {
			scene->why = *err_info();
		}
		scene->result = e;
	}
	if (--scene->left == 0)
		rt_stop();
}

static void begin(void *arg)
{
	struct scene *scene = arg;
	struct co *last = NULL;
	int fd;

	if (net_listen(&scene->addresses[1], &fd) != OK)
		return;
	scene->addresses[1].n = sizeof(scene->addresses[1].sa);
	getsockname(fd, (struct sockaddr *)&scene->addresses[1].sa, &scene->addresses[1].n);
	rt_fd_init(&scene->listener, fd);
	scene->q.addresses = &scene->addresses[scene->dead_first ? 0 : 1];
	scene->q.addresses_n = scene->dead_first ? 2 : 1;
	scene->addresses[0] = scene->addresses[1];
	((struct sockaddr_in *)&scene->addresses[0].sa)->sin_addr.s_addr = htonl(0x7f090807); /* nobody listens there */
	rt_spawn(serve_all, scene, "listener");
	scene->left = scene->at_once;
	for (int i = 0; i < scene->at_once; i++)
		last = rt_spawn(fetch, scene, "client");
	if (scene->cancel_at > 0 && rt_sleep_until(rt_after(scene->cancel_at)) == OK && last != NULL)
		rt_cancel(last);
}

static void play(struct scene *scene)
{
	assert_int_equal(net_address_parse(STR("127.0.0.1:0"), &scene->addresses[1]), OK);
	scene->q.url = str_from(scene->url == NULL ? "https://mta-sts.example.com/policy" : scene->url);
	if (scene->q.authorities_pem.n == 0)
		scene->q.authorities_pem = buf_str(&chain_pem);
	if (scene->q.max == 0)
		scene->q.max = 1000;
	scene->times = scene->times == 0 ? 1 : scene->times;
	scene->at_once = scene->at_once == 0 ? 1 : scene->at_once;
	assert_int_equal(rt_run(begin, scene), OK);
	rt_fd_close(&scene->listener);
}

static void play_good(struct scene *scene, const char *body)
{
	play(scene);
	if (scene->result != OK)
		fail_msg("%s: %s", err_name(scene->result), scene->why.text);
	assert_string_equal(scene->body, body);
	assert_int_equal(scene->good, scene->times * scene->at_once);
}

static void play_bad(struct scene *scene, err want, const char *why)
{
	play(scene);
	if (scene->result != want || strstr(scene->why.text, why) == NULL)
		fail_msg("%s, not %s: %s", err_name(scene->result), err_name(want), scene->why.text);
	assert_string_equal(scene->body, "");
}

/* --- tests --- */

#define HELLO "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"

static void test_get(void **state)
{
	struct scene s = {.reply = HELLO, .q.content_type = STR("text/plain")};

	(void)state;
	play_good(&s, "hello");
	assert_non_null(strstr(s.request, "GET /policy HTTP/1.1\r\nHost: mta-sts.example.com\r\n"));
	assert_null(strstr(s.request, "Authorization"));
	struct scene chunked = {
		.reply = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"};
	play_good(&chunked, "hello");
	struct scene until_close = {.reply = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello"};
	play_good(&until_close, "hello");
}

static void test_content_type(void **state)
{
	struct scene longer = {.reply = "HTTP/1.1 200 OK\r\nContent-Type: Text/Plain; charset=utf-8\r\nContent-Length: "
	                                "0\r\n\r\n",
	                       .q.content_type = STR("text/plain")},
		     html = {.reply = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n",
	                     .q.content_type = STR("text/plain")},
		     other = {.reply = "HTTP/1.1 200 OK\r\nContent-Type: text/plainer\r\nContent-Length: 0\r\n\r\n",
	                      .q.content_type = STR("text/plain")},
		     none = {.reply = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
	                     .q.content_type = STR("text/plain")};

	(void)state;
	play_good(&longer, "");
	play_bad(&html, E_SYNTAX, "the content type is \"text/html\", not text/plain");
	play_bad(&other, E_SYNTAX, "content type");
	play_bad(&none, E_SYNTAX, "content type");
}

static void test_status(void **state)
{
	struct scene
		missing = {.reply = "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone"},
		moved = {.reply = "HTTP/1.1 301 Moved\r\nLocation: https://127.0.0.1/\r\nContent-Length: 0\r\n\r\n"},
		created = {.reply = "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok"};

	(void)state;
	play_bad(&missing, E_NOT_FOUND, "the server answered with status 404");
	play_bad(&moved, E_NOT_FOUND, "status 301");
	assert_int_equal(moved.connections, 1);
	play_bad(&created, E_NOT_FOUND, "status 201");
}

static void test_length(void **state)
{
	struct scene longer = {.reply = HELLO, .q.max = 4}, exact = {.reply = HELLO, .q.max = 5},
		     endless = {.conduct = NEVER_ENDS_BODY, .q.max = 100000}, header = {.conduct = NEVER_ENDS_HEADER};

	(void)state;
	play_good(&exact, "hello");
	play_bad(&longer, E_LIMIT, "the reply is longer than 4 octets");
	play_bad(&endless, E_LIMIT, "longer");
	play_bad(&header, E_LIMIT, "longer");
}

static void test_certificate(void **state)
{
	struct scene name = {.reply = HELLO, .url = "https://other.example.com/policy"},
		     unknown = {.reply = HELLO, .q.authorities_pem = buf_str(&stranger_pem)};

	(void)state;
	play_bad(&name, E_DENIED, "HTTPS: ");
	play_bad(&unknown, E_DENIED, "HTTPS: ");
	assert_string_equal(name.request, "");
	assert_string_equal(unknown.request, "");
}

static void test_post(void **state)
{
	struct scene s = {.reply = HELLO,
	                  .q = {.method_body = STR("token=abc"), .user = STR("pombo"), .password = STR("secret")},
	                  .times = 3};

	(void)state;
	play_good(&s, "hello");
	assert_int_equal(s.connections, 1); /* kept open in between */
	assert_non_null(strstr(s.request, "POST /policy HTTP/1.1\r\n"));
	assert_non_null(strstr(s.request, "Authorization: Basic cG9tYm86c2VjcmV0\r\n"));
	assert_non_null(strstr(s.request, "Content-Type: application/x-www-form-urlencoded\r\n"));
	assert_non_null(strstr(s.request, "\r\n\r\ntoken=abc"));
	struct scene report = {.reply = "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok",
	                       .q = {.method_body = STR("\1\2"), .content_type = STR("application/tlsrpt+gzip")}};
	play_good(&report, "ok");
	assert_non_null(strstr(report.request, "Content-Type: application/tlsrpt+gzip\r\n"));
}

static void test_url(void **state)
{
	struct scene plain = {.reply = HELLO, .url = "http://mta-sts.example.com/policy", .q.plain = true},
		     not_plain = {.reply = HELLO, .url = "http://mta-sts.example.com/policy"},
		     file = {.url = "file:///etc/passwd", .q.plain = true}, nonsense = {.url = "https://"},
		     port = {.reply = HELLO, .url = "https://mta-sts.example.com:8443/policy"};

	(void)state;
	play_good(&plain, "hello");
	play_bad(&not_plain, E_SYNTAX, "https://");
	play_bad(&file, E_SYNTAX, "");
	play_bad(&nonsense, E_SYNTAX, "not a URL");
	play_good(&port, "hello"); /* the addresses' port counts */
	assert_non_null(strstr(port.request, "Host: mta-sts.example.com:8443\r\n"));
}

static void fetch_nowhere(void *arg)
{
	struct scene *scene = arg;
	ARENA(a, 1000);
	str body;

	scene->result = http_fetch(&scene->q, &body, &a, SOON);
	scene->why = *err_info();
}

static void test_nothing_is_looked_up(void **state)
{
	struct scene s = {.q = {.url = STR("https://localhost/"), .max = 100}};

	(void)state;
	assert_int_equal(rt_run(fetch_nowhere, &s), OK);
	assert_int_equal(s.result, E_SYNTAX);
	assert_string_equal(s.why.text, "HTTP: no address of the host");
}

static void test_second_address(void **state)
{
	(void)state;
	play_good(&(struct scene){.reply = HELLO, .dead_first = true}, "hello");
}

static void test_server_goes_away(void **state)
{
	struct scene cut = {.reply = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\nhello"},
		     in_header = {.reply = "HTTP/1.1 200 OK\r\nConnection: close\r\nX: "};

	(void)state;
	play_bad(&(struct scene){.conduct = CLOSES_AT_ONCE}, E_CLOSED, "HTTP: ");
	play_bad(&(struct scene){.conduct = CLOSES_AFTER_TLS}, E_CLOSED, "HTTP: ");
	play_bad(&(struct scene){.conduct = SAYS_NO_TLS}, E_CLOSED, "HTTP: ");
	play_bad(&cut, E_CLOSED, "HTTP: ");
	play_bad(&in_header, E_CLOSED, "HTTP: ");
}

static void test_silence_times_out(void **state)
{
	(void)state;
	play_bad(&(struct scene){.conduct = SILENT, .patience = 100 * NSEC_PER_MSEC}, E_TIMEOUT, "no answer in time");
	play_bad(&(struct scene){.conduct = SILENT, .patience = -NSEC_PER_SEC}, E_TIMEOUT, "no answer in time");
}

static void test_cancel(void **state)
{
	(void)state;
	play_bad(&(struct scene){.conduct = SILENT, .cancel_at = 50 * NSEC_PER_MSEC}, E_CANCELLED, "");
	play_bad(&(struct scene){.conduct = NEVER_ENDS_BODY, .q.max = SIZE_MAX / 4, .cancel_at = 50 * NSEC_PER_MSEC},
	         E_CANCELLED, "");
}

static void test_many_at_once(void **state)
{
	struct scene s = {.reply = HELLO, .at_once = 20, .times = 2};

	(void)state;
	play_good(&s, "hello");
	assert_int_equal(s.connections, 40);
}

static void test_simulated_loop_has_no_sockets(void **state)
{
	struct scene s = {.q = {.url = STR("https://localhost/"), .max = 100, .addresses_n = 1}};
	struct net_address a;

	(void)state;
	assert_int_equal(net_address_parse(STR("127.0.0.1:1"), &a), OK);
	s.q.addresses = &a;
	assert_int_equal(rt_run_simulated(1, fetch_nowhere, &s), OK);
	assert_int_not_equal(s.result, OK);
}

/* As the process that sends is confined: no file is needed. */
static void test_empty_root(void **state)
{
	char folder[] = "/tmp/test-http-XXXXXX";
	int status = -1;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_non_null(mkdtemp(folder));
	pid_t pid = fork();
	if (pid == 0) {
		struct scene s = {.reply = HELLO};

		if (chroot(folder) != 0 || chdir("/") != 0)
			_exit(1);
		play(&s);
		_exit(s.result == OK ? 0 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	rmdir(folder);
	assert_int_equal(status, 0);
}

static int setup(void **state)
{
	struct tls_certificate certificate = {0};

	(void)state;
	log_to(-1);
	setenv("https_proxy", "http://127.0.0.1:1", 1);
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	key_pem = chain_pem = stranger_key_pem = stranger_pem = BUF_INIT(1 << 16);
	if (private_key_make(STR("mta-sts.example.com"), &key_pem, &chain_pem) != OK ||
	    private_key_make(STR("stranger.example.net"), &stranger_key_pem, &stranger_pem) != OK ||
	    private_key_read(buf_str(&key_pem), buf_str(&chain_pem), &key) != OK)
		return -1;
	certificate.chain_pem = buf_str(&chain_pem);
	return tls_context_new(&(struct tls_options){.certificates = &certificate,
	                                             .certificates_n = 1,
	                                             .signer = sign,
	                                             .listener = STR("https")},
	                       &context) == OK
	               ? 0
	               : -1;
}

static int teardown(void **state)
{
	(void)state;
	tls_context_release(context);
	private_key_free(key);
	buf_free(&key_pem);
	buf_free(&chain_pem);
	buf_free(&stranger_key_pem);
	buf_free(&stranger_pem);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty_root), /* first: before anything was read */
		cmocka_unit_test(test_get),
		cmocka_unit_test(test_content_type),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_certificate),
		cmocka_unit_test(test_post),
		cmocka_unit_test(test_url),
		cmocka_unit_test(test_nothing_is_looked_up),
		cmocka_unit_test(test_second_address),
		cmocka_unit_test(test_server_goes_away),
		cmocka_unit_test(test_silence_times_out),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_many_at_once),
		cmocka_unit_test(test_simulated_loop_has_no_sockets),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
