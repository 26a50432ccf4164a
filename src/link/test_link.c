/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "link/frame.h"
#include "link/link.h"

#define SECOND NSEC_PER_SEC
#define MEMORY ((size_t)8 << 20)

/* The side that serves: what it was asked, and how it is to behave. */
struct server {
	struct link_service service;
	size_t served, cancelled, closed;
	err answer;        /* not OK: refuse with it */
	size_t reply_size; /* of mailbox_read */
	nsec delay_max;    /* sleep up to that long before answering */
	int kept;          /* descriptor that attach kept */
};

static struct link *client, *server_link;
static struct server server;

static err pause_a_while(struct server *s)
{
	if (s->delay_max == 0)
		return OK;
	err e = rt_sleep_until(rt_after((nsec)(rt_random_u64() % (uint64_t)s->delay_max) + 1));
	s->cancelled += e == E_CANCELLED;
	return e;
}

static err serve_rcpt_check(void *ctx, struct link *from, const void *request, void *reply, struct arena *arena)
{
	const struct rcpt_check_request *q = request;
	struct rcpt_check_reply *r = reply;
	struct server *s = ctx;

	s->served++;
	assert_string_equal(link_peer(from), "client");
	err e = pause_a_while(s);
	if (e != OK)
		return e;
	if (s->answer != OK)
		return err_set(s->answer, 550, "5.1.1", "no %s here", "such\r\nmailbox");
	r->id = q->size + 1;
	r->answers = arena_array(arena, q->rcpts_n, sizeof(*r->answers));
	r->answers_n = q->rcpts_n;
	for (size_t i = 0; i < q->rcpts_n; i++)
		r->answers[i] = (struct rcpt_answer){.reply = 250, .status = STR("2.1.5"), .text = q->rcpts[i].address};
	return OK;
}

static err serve_inspect(void *ctx, struct link *from UNUSED, const void *request, void *reply, struct arena *arena)
{
	const struct inspect_request *q = request;
	struct inspect_reply *r = reply;

	((struct server *)ctx)->served++;
	r->subject = arena_str(arena, str_take(q->body.bytes, 10));
	r->reply = q->body.bytes.n;
	return OK;
}

static err serve_mailbox_read(void *ctx, struct link *from UNUSED, const void *request UNUSED, void *reply,
                              struct arena *a)
{
	struct mailbox_read_reply *r = reply;
	size_t n = ((struct server *)ctx)->reply_size;

	r->bytes = str_make(arena_alloc(a, n), n);
	return OK;
}

static err serve_attach(void *ctx, struct link *from UNUSED, const void *request, void *reply UNUSED,
                        struct arena *a UNUSED)
{
	const struct attach_request *q = request;
	struct server *s = ctx;

	s->served++;
	if (s->kept < 0)
		s->kept = fcntl(q->descriptors, F_DUPFD_CLOEXEC, 0);
	return OK;
}

static void serve_closed(void *ctx, struct link *l UNUSED)
{
	((struct server *)ctx)->closed++;
}

static void server_reset(void)
{
	server = (struct server){.kept = -1};
	server.service = (struct link_service){.ctx = &server, .closed = serve_closed};
	server.service.handlers[CALL_rcpt_check] = serve_rcpt_check;
	server.service.handlers[CALL_inspect] = serve_inspect;
	server.service.handlers[CALL_mailbox_read] = serve_mailbox_read;
	server.service.handlers[CALL_attach] = serve_attach;
}

/* Frames with passwords are known as such, whatever is around them. */
static void test_secret_frames(void **state UNUSED)
{
	const struct auth_request auth = {.response = STR("secret")};
	const struct rcpt_check_request check = {0};
	struct frame f = {.kind = FRAME_CALL, .id = 1, .type = CALL_auth};
	struct record_fds fds;
	BUF(out, 4096);

	assert_int_equal(frame_write(&out, &f, &record_auth_request, &auth, &fds), OK);
	assert_true(frame_is_secret(str_drop(buf_str(&out), FRAME_LENGTH_SIZE)));
	buf_reset(&out);
	f.type = CALL_rcpt_check;
	assert_int_equal(frame_write(&out, &f, &record_rcpt_check_request, &check, &fds), OK);
	assert_false(frame_is_secret(str_drop(buf_str(&out), FRAME_LENGTH_SIZE)));
	assert_false(frame_is_secret(STR("x")));
}

static void links_new(void)
{
	server_reset();
	client = link_new("server", NULL);
	server_link = link_new("client", &server.service);
	assert_non_null(client);
	assert_non_null(server_link);
}

static void links_connect(void)
{
	struct stream *a, *b;

	assert_true(stream_pair(&a, &b, 1 << 20, true));
	assert_int_equal(link_attach_stream(client, a), OK);
	assert_int_equal(link_attach_stream(server_link, b), OK);
}

static void links_connect_sockets(void)
{
	int streams[2], descriptors[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, streams), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, descriptors), 0);
	assert_int_equal(link_attach(client, streams[0], descriptors[0]), OK);
	assert_int_equal(link_attach(server_link, streams[1], descriptors[1]), OK);
}

static void links_free(void)
{
	link_free(client);
	link_free(server_link);
	if (server.kept >= 0)
		close(server.kept);
}

/* Each test is a coroutine with two connected links. */
struct test {
	void (*run)(void);
	bool sockets;
};

static void test_main(void *arg)
{
	const struct test *t = arg;

	links_new();
	if (t->sockets)
		links_connect_sockets();
	else
		links_connect();
	t->run();
	links_free();
}

static void simulated(void (*run)(void))
{
	for (uint64_t seed = 1; seed <= 3; seed++)
		assert_int_equal(rt_run_simulated(seed, test_main, &(struct test){run, false}), OK);
}

static size_t descriptors_open(void)
{
	size_t n = 0;

	for (int fd = 0; fd < 2000; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void over_sockets(void (*run)(void))
{
	size_t before = descriptors_open();

	assert_int_equal(rt_run(test_main, &(struct test){run, true}), OK);
	assert_int_equal(descriptors_open(), before);
}

static err check(uint64_t size, nsec deadline, struct rcpt_check_reply *reply, struct arena *a)
{
	struct rcpt_query rcpts[2] = {{STR("a@example.org")}, {arena_printf(a, "%d@example.org", (int)size)}};
	struct rcpt_check_request q = {.sender = STR("s@example.net"), .size = size, .rcpts = rcpts, .rcpts_n = 2};

	return call_rcpt_check(client, &q, reply, a, deadline);
}

static err check_once(uint64_t size, nsec deadline)
{
	struct rcpt_check_reply reply;
	ARENA(a, MEMORY);
	err e = check(size, deadline, &reply, &a);

	if (e == OK) {
		assert_int_equal(reply.id, size + 1);
		assert_int_equal(reply.answers_n, 2);
		assert_true(str_equal(reply.answers[1].text, arena_printf(&a, "%d@example.org", (int)size)));
	}
	return e;
}

/* --- calls and errors --- */

static void run_call(void)
{
	assert_true(link_up(client));
	assert_int_equal(check_once(41, RT_NEVER), OK);
	assert_int_equal(check_once(42, rt_after(SECOND)), OK);
	assert_int_equal(link_calls_in_the_air(client), 0);
}

static void test_call(void **state UNUSED)
{
	simulated(run_call);
	over_sockets(run_call);
}

static void run_error(void)
{
	server.answer = E_PERM;
	assert_int_equal(check_once(1, RT_NEVER), E_PERM);
	assert_int_equal(err_info()->code, E_PERM);
	assert_int_equal(err_info()->reply, 550);
	assert_string_equal(err_info()->status, "5.1.1");
	assert_string_equal(err_info()->text, "no such??mailbox here");
	server.answer = E_CANCELLED; /* the server's troubles are temporary to us */
	assert_int_equal(check_once(1, RT_NEVER), E_TEMP);
	server.answer = OK;
	assert_int_equal(check_once(1, RT_NEVER), OK);
}

static void test_error(void **state UNUSED)
{
	simulated(run_error);
}

static void run_not_served(void)
{
	struct credential_request q = {.user = STR("alice")};
	struct credential_reply r;
	ARENA(a, MEMORY);

	assert_int_equal(call_credential(client, &q, &r, &a, RT_NEVER), E_DENIED);
	assert_int_equal(link_call(server_link, CALL_credential, &q, &r, &a, RT_NEVER),
	                 E_DENIED); /* no service at all */
	assert_int_equal(link_call(NULL, CALL_credential, &q, &r, &a, RT_NEVER), E_TEMP);
	assert_int_equal(check_once(1, RT_NEVER), OK);
}

static void test_not_served(void **state UNUSED)
{
	simulated(run_not_served);
}

/* What is told is heard before what is asked later, and nothing comes back, whatever became of it. */
static void run_told(void)
{
	struct rcpt_check_request q = {.size = 1};
	struct session_end_request unserved = {.session = STR("s")};

	for (int i = 0; i < 3; i++)
		assert_int_equal(tell_rcpt_check(client, &q), OK);
	assert_int_equal(link_calls_in_the_air(client), 0);
	assert_int_equal(check_once(1, RT_NEVER), OK);
	assert_int_equal(server.served, 4);
	server.answer = E_PERM;
	assert_int_equal(tell_rcpt_check(client, &q), OK);
	assert_int_equal(tell_session_end(client, &unserved), OK);
	assert_int_equal(check_once(1, RT_NEVER), E_PERM);
	assert_int_equal(server.served, 6);
	assert_int_equal(link_calls_in_the_air(server_link), 0);
	assert_true(link_up(client));
	link_detach(client);
	assert_int_equal(tell_rcpt_check(client, &q), E_TEMP);
	assert_int_equal(tell_rcpt_check(NULL, &q), E_TEMP);
}

static void test_told(void **state UNUSED)
{
	simulated(run_told);
	over_sockets(run_told);
}

/* --- many at once --- */

static size_t callers_left, callers_failed;

static void caller(void *arg)
{
	if (check_once((uint64_t)(uintptr_t)arg, RT_NEVER) != OK)
		callers_failed++;
	callers_left--;
}

static void call_many(size_t n)
{
	callers_left = n;
	callers_failed = 0;
	for (size_t i = 0; i < n; i++)
		assert_non_null(rt_spawn(caller, (void *)(uintptr_t)i, "caller"));
	while (callers_left > 0)
		assert_int_equal(rt_sleep_until(rt_after(NSEC_PER_MSEC)), OK);
}

static void run_many(void)
{
	server.delay_max = SECOND;
	call_many(1000);
	assert_int_equal(callers_failed, 0);
	assert_int_equal(server.served, 1000);
	assert_int_equal(link_calls_in_the_air(server_link), 0);
}

static void test_many(void **state UNUSED)
{
	simulated(run_many);
	server.delay_max = 0;
}

/* More calls than are served at once: reading pauses, nothing is lost. */
static void run_more_than_served_at_once(void)
{
	server.delay_max = SECOND;
	call_many(5000);
	assert_int_equal(callers_failed, 0);
	assert_int_equal(server.served, 5000);
}

static void test_more_than_served_at_once(void **state UNUSED)
{
	assert_int_equal(rt_run_simulated(1, test_main, &(struct test){run_more_than_served_at_once, false}), OK);
}

static void run_too_many_wait(void)
{
	server.delay_max = 1000 * SECOND;
	call_many(10100);
	assert_int_equal(callers_failed, 100);
}

static void test_too_many_wait(void **state UNUSED)
{
	assert_int_equal(rt_run_simulated(1, test_main, &(struct test){run_too_many_wait, false}), OK);
}

/* --- giving up --- */

static void run_timeout(void)
{
	server.delay_max = 1000 * SECOND;
	for (int i = 0; i < 20; i++)
		assert_int_equal(check_once(1, rt_after(SECOND / 10)), E_TIMEOUT);
	assert_int_equal(err_info()->reply, 451);
	server.delay_max = 0;
	assert_int_equal(check_once(2, RT_NEVER), OK);
	assert_int_equal(server.cancelled, 20);
	assert_int_equal(link_calls_in_the_air(client), 0);
	assert_int_equal(link_calls_in_the_air(server_link), 0);
}

static void test_timeout(void **state UNUSED)
{
	simulated(run_timeout);
}

/* The reply is on its way when the caller gives up. */
static void run_late_reply(void)
{
	for (int i = 0; i < 50; i++) {
		server.delay_max = SECOND;
		err e = check_once(1, rt_after(SECOND / 2));
		assert_true(e == OK || e == E_TIMEOUT);
		server.delay_max = 0;
		assert_int_equal(check_once(100, RT_NEVER), OK);
	}
}

static void test_late_reply(void **state UNUSED)
{
	simulated(run_late_reply);
}

static void run_cancel(void)
{
	server.delay_max = 1000 * SECOND;
	callers_left = 1;
	struct co *co = rt_spawn(caller, (void *)7, "caller");
	assert_int_equal(rt_sleep_until(rt_after(NSEC_PER_MSEC)), OK);
	assert_int_equal(link_calls_in_the_air(client), 1);
	rt_cancel(co);
	assert_int_equal(rt_sleep_until(rt_after(NSEC_PER_MSEC)), OK);
	assert_int_equal(callers_left, 0);
	assert_int_equal(link_calls_in_the_air(client), 0);
	assert_int_equal(server.cancelled, 1);
}

static void test_cancel(void **state UNUSED)
{
	simulated(run_cancel);
}

/* --- the peer goes, and comes back --- */

static void run_peer_loss(void)
{
	server.delay_max = 1000 * SECOND;
	callers_left = 10;
	callers_failed = 0;
	for (size_t i = 0; i < 10; i++)
		assert_non_null(rt_spawn(caller, (void *)i, "caller"));
	assert_int_equal(rt_sleep_until(rt_after(SECOND)), OK);
	size_t served_before = server.served - 10 + callers_left; /* some may have been answered within that second */
	link_free(server_link);
	assert_int_equal(rt_sleep_until(rt_after(SECOND)), OK);
	assert_int_equal(callers_left, 0);
	assert_int_equal(server.cancelled, served_before);
	assert_false(link_up(client));
	assert_int_equal(check_once(1, RT_NEVER), E_TEMP);
	assert_int_equal(err_info()->reply, 451);
	assert_string_equal(err_info()->status, "4.3.0");

	server_link = link_new("client", &server.service);
	server.delay_max = 0;
	links_connect();
	assert_int_equal(check_once(1, RT_NEVER), OK);
	assert_int_equal(server.closed, 0); /* link_free by its owner is no loss */
}

static void test_peer_loss(void **state UNUSED)
{
	simulated(run_peer_loss);
}

static void run_closed_callback(void)
{
	link_free(client);
	assert_int_equal(rt_sleep_until(rt_after(SECOND)), OK);
	assert_int_equal(server.closed, 1);
	assert_false(link_up(server_link));
	client = link_new("server", NULL);
	links_connect();
	assert_int_equal(check_once(1, RT_NEVER), OK);
	links_connect(); /* over a connection that is still there */
	assert_int_equal(server.closed, 2);
	assert_int_equal(check_once(1, RT_NEVER), OK);
	assert_int_equal(server.closed, 2);
}

static void test_closed_callback(void **state UNUSED)
{
	simulated(run_closed_callback);
	over_sockets(run_closed_callback);
}

/* --- sizes --- */

static err inspect(struct body body, struct inspect_reply *reply, struct arena *a)
{
	struct inspect_request q = {.body = body};

	return call_inspect(client, &q, reply, a, RT_NEVER);
}

static void run_sizes(void)
{
	struct mailbox_read_request q = {0};
	struct mailbox_read_reply r;
	struct inspect_reply ir;
	char *big = calloc(1, 9 << 20);
	ARENA(a, MEMORY);
	ARENA(small, 10000);

	assert_int_equal(inspect(BODY_OF(str_make(big, 1000 << 10)), &ir, &a), OK);
	assert_int_equal(ir.reply, 1000 << 10);
	assert_int_equal(inspect(BODY_OF(str_make(big, 9 << 20)), &ir, &a), E_LIMIT);
	server.reply_size = 900 << 10;
	assert_int_equal(call_mailbox_read(client, &q, &r, &a, RT_NEVER), OK);
	assert_int_equal(r.bytes.n, 900 << 10);
	assert_int_equal(call_mailbox_read(client, &q, &r, &small, RT_NEVER), E_LIMIT);
	server.reply_size = 9 << 20;
	assert_int_equal(call_mailbox_read(client, &q, &r, &a, RT_NEVER), E_LIMIT);
	struct rcpt *rcpts = calloc(RECORD_LIST_MAX + 1, sizeof(*rcpts));
	struct inspect_request longer = {.rcpts = rcpts, .rcpts_n = RECORD_LIST_MAX + 1, .body = BODY_OF(STR_NONE)};
	assert_int_equal(call_inspect(client, &longer, &ir, &a, RT_NEVER), E_LIMIT);
	assert_int_equal(check_once(1, RT_NEVER), OK);
	free(rcpts);
	free(big);
}

static void test_sizes(void **state UNUSED)
{
	simulated(run_sizes);
	over_sockets(run_sizes);
}

/* --- a peer that does not behave --- */

static struct stream *raw; /* the other end of server_link */

static void raw_connect(void)
{
	struct stream *b;

	assert_true(stream_pair(&raw, &b, 1 << 20, true));
	assert_int_equal(link_attach_stream(server_link, b), OK);
}

static const str malformed[] = {
	{"\0\0\0\0", 4},   /* no frame is empty */
	{"\1\0\0\0\0", 5}, /* or without an id */
	{"\1\0\x80\0", 4}, /* or larger than 8 MiB */
	{"\xff\xff\xff\xff", 4},
	{"\2\0\0\0\3\1", 6},                                            /* no such kind */
	{"\4\0\0\0\0\1\x7f\0", 8},                                      /* no such call */
	{"\6\0\0\0\0\1\0\0\x02x", 10},                                  /* rcpt_check cut short */
	{"\x0a\0\0\0\0\1\0\0\0\0\xff\xff\xff\x7f", 14},                 /* with 2^28 recipients */
	{"\x08\0\0\0\0\1\0\0\0\0\0x", 12},                              /* with a byte left over */
	{"\5\0\0\0\0\1\0\1\0", 9},                                      /* with a descriptor that never came */
	{"\x0c\0\0\0\0\1\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 16}, /* a number of more than 64 bits */
	{"\3\0\0\0\1\1\x7f", 7},                                        /* a reply with no such error */
	{"\7\0\0\0\1\1\2\1\0\1\n", 11},                                 /* with a line end in its text */
	{"\7\0\0\0\1\1\2\1\1a\0", 11},                                  /* with letters in its status */
	{"\3\0\0\0\2\1x", 7},                                           /* a cancel that says more */
};

static void run_malformed(void)
{
	for (size_t i = 0; i < ARRAY_LEN(malformed); i++) {
		raw_connect();
		stream_put(raw, malformed[i]);
		assert_int_equal(stream_flush(raw), OK);
		assert_int_equal(rt_sleep_until(rt_after(SECOND)), OK);
		if (link_up(server_link))
			fail_msg("malformed frame %zu was let through", i);
		stream_close(raw);
	}
	assert_int_equal(server.served, 0);
	links_connect();
	assert_int_equal(check_once(1, RT_NEVER), OK);
}

static void test_malformed(void **state UNUSED)
{
	log_to(-1);
	simulated(run_malformed);
	log_to(STDERR_FILENO);
}

/* Replies and cancels for calls that nobody made change nothing; neither does the end in the middle of a frame. */
static void run_strange_but_harmless(void)
{
	raw_connect();
	stream_put(raw, str_make("\4\0\0\0\1\5\0\0"
	                         "\2\0\0\0\2\5"
	                         "\7\0\0\0\1\6\2\1\0\1x",
	                         25));
	assert_int_equal(stream_flush(raw), OK);
	assert_int_equal(rt_sleep_until(rt_after(SECOND)), OK);
	assert_true(link_up(server_link));
	stream_put(raw, str_make("\4\0\0\0\1", 5));
	assert_int_equal(stream_flush(raw), OK);
	stream_close(raw);
	assert_int_equal(rt_sleep_until(rt_after(SECOND)), OK);
	assert_false(link_up(server_link));
}

static void test_strange_but_harmless(void **state UNUSED)
{
	simulated(run_strange_but_harmless);
}

/* A peer that reads nothing: calls pile up to a bound, then fail at once. */
static void inspect_caller(void *arg)
{
	struct inspect_reply r;
	ARENA(a, MEMORY);

	callers_failed += inspect(BODY_OF(str_make(arg, 900 << 10)), &r, &a) != OK;
	callers_left--;
}

static void run_backlog(void)
{
	struct stream *a;
	char *big = calloc(1, 900 << 10);

	assert_true(stream_pair(&a, &raw, 1 << 20, false));
	assert_int_equal(link_attach_stream(client, a), OK);
	callers_left = 100;
	callers_failed = 0;
	for (int i = 0; i < 100; i++)
		assert_non_null(rt_spawn(inspect_caller, big, "caller"));
	assert_int_equal(rt_sleep_until(rt_after(SECOND)), OK);
	assert_in_range(callers_failed, 20, 30);
	stream_close(raw);
	assert_int_equal(rt_sleep_until(rt_after(SECOND)), OK);
	assert_int_equal(callers_left, 0);
	assert_int_equal(callers_failed, 100);
	free(big);
}

static void test_backlog(void **state UNUSED)
{
	assert_int_equal(rt_run_simulated(1, test_main, &(struct test){run_backlog, false}), OK);
}

/* --- descriptors --- */

static int memory_file(size_t n, int seals)
{
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)n), 0);
	assert_int_equal(pwrite(fd, "0123456789", 10, 0), 10);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

static void run_large_body(void)
{
	struct inspect_reply r;
	ARENA(a, MEMORY);
	int fd = memory_file(5 << 20, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW);

	for (int i = 0; i < 3; i++) {
		assert_int_equal(inspect((struct body){STR_NONE, fd}, &r, &a), OK);
		assert_int_equal(r.reply, 5 << 20);
		assert_str(r.subject, "0123456789");
	}
	close(fd);
	fd = memory_file(5 << 20, F_SEAL_WRITE | F_SEAL_SHRINK);
	log_to(-1);
	assert_int_equal(inspect((struct body){STR_NONE, fd}, &r, &a), E_TEMP);
	log_to(STDERR_FILENO);
	assert_false(link_up(server_link));
	close(fd);
}

static void test_large_body(void **state UNUSED)
{
	over_sockets(run_large_body);
}

static err attach_pipe(int ends[2], nsec deadline)
{
	struct attach_request q = {.role = STR("store"), .stream = ends[0], .descriptors = ends[1]};
	struct attach_reply r;
	ARENA(a, MEMORY);

	return call_attach(client, &q, &r, &a, deadline);
}

static void run_descriptors(void)
{
	int ends[2];
	char c = 0;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(attach_pipe(ends, RT_NEVER), OK);
	assert_int_equal(write(server.kept, "x", 1), 1);
	assert_int_equal(read(ends[0], &c, 1), 1);
	assert_int_equal(c, 'x');
	close(ends[0]);
	close(ends[1]);
}

static void test_descriptors(void **state UNUSED)
{
	over_sockets(run_descriptors);
}

static int many_ends[2];

static void attach_caller(void *arg UNUSED)
{
	callers_failed += attach_pipe(many_ends, RT_NEVER) != OK;
	callers_left--;
}

/* More than fit into the socket at once; one caller in seven gives up, wherever it is. */
static void run_many_descriptors(void)
{
	static struct co *callers[700];

	assert_int_equal(pipe2(many_ends, O_CLOEXEC), 0);
	callers_left = ARRAY_LEN(callers);
	callers_failed = 0;
	for (size_t i = 0; i < ARRAY_LEN(callers); i++)
		callers[i] = rt_spawn(attach_caller, NULL, "caller");
	rt_yield();
	for (size_t i = 0; i < ARRAY_LEN(callers); i += 7)
		if (callers_left == ARRAY_LEN(callers))
			rt_cancel(callers[i]);
	while (callers_left > 0)
		assert_int_equal(rt_sleep_until(rt_after(NSEC_PER_MSEC)), OK);
	assert_in_range(callers_failed, 0, 100);
	assert_int_equal(attach_pipe(many_ends, RT_NEVER), OK);
	assert_true(link_up(client));
	close(many_ends[0]);
	close(many_ends[1]);
}

static void test_many_descriptors(void **state UNUSED)
{
	over_sockets(run_many_descriptors);
}

static void run_no_descriptors(void)
{
	int ends[2] = {0, 1};

	assert_int_equal(attach_pipe(ends, RT_NEVER), E_DENIED);
	assert_int_equal(check_once(1, RT_NEVER), OK);
}

static void test_no_descriptors(void **state UNUSED)
{
	simulated(run_no_descriptors);
}

/* Messages on the descriptors' socket that are none: no descriptor, two, a ticket from the future. */
static void send_rights(int socket, uint64_t ticket, size_t n)
{
	union {
		char space[CMSG_SPACE(2 * sizeof(int))];
		struct cmsghdr head;
	} control = {{0}};
	struct iovec iov = {&ticket, sizeof(ticket)};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	int fds[2] = {0, 1};

	if (n > 0) {
		m.msg_control = &control;
		m.msg_controllen = CMSG_SPACE(n * sizeof(int));
		control.head = (struct cmsghdr){CMSG_LEN(n * sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
		memcpy(CMSG_DATA(&control.head), fds, n * sizeof(int));
	}
	assert_int_equal(sendmsg(socket, &m, 0), sizeof(ticket));
}

static void run_broken_descriptors(void)
{
	static const struct {
		uint64_t ticket;
		size_t n;
	} bad[] = {{0, 0}, {0, 2}, {1, 1}};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		int streams[2], descriptors[2];

		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, streams), 0);
		assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, descriptors), 0);
		assert_int_equal(link_attach(server_link, streams[1], descriptors[1]), OK);
		send_rights(descriptors[0], bad[i].ticket, bad[i].n);
		/* a cancelled call's reply: taken and closed, if it were there */
		assert_int_equal(write(streams[0], "\5\0\0\0\1\1\0\1\0", 9), 9);
		while (link_up(server_link))
			rt_yield();
		close(streams[0]);
		close(descriptors[0]);
	}
}

static void test_broken_descriptors(void **state UNUSED)
{
	log_to(-1);
	over_sockets(run_broken_descriptors);
	log_to(STDERR_FILENO);
}

/* --- peers --- */

static void run_peers_filter(void)
{
	struct link *away = link_new("filter-1", NULL);
	struct peers p = {.filters = {client, away, server_link}, .filters_n = 3};
	struct peers nobody = {.filters_n = 0};
	struct peers all_away = {.filters = {away}, .filters_n = 1};

	assert_ptr_equal(peers_filter(&p), client);
	assert_ptr_equal(peers_filter(&p), server_link);
	assert_ptr_equal(peers_filter(&p), client);
	assert_null(peers_filter(&nobody));
	assert_ptr_equal(peers_filter(&all_away), away);
	link_free(away);
}

static void test_peers_filter(void **state UNUSED)
{
	simulated(run_peers_filter);
}

/* The loop stops while calls are in the air: everything unwinds. */
static void stopper(void *arg UNUSED)
{
	links_new();
	links_connect();
	server.delay_max = 1000 * SECOND;
	callers_left = 1;
	assert_non_null(rt_spawn(caller, NULL, "caller"));
	assert_int_equal(rt_sleep_until(rt_after(NSEC_PER_MSEC)), OK);
	rt_stop();
	assert_int_equal(rt_sleep_until(rt_after(SECOND)), E_CANCELLED);
	links_free();
	assert_int_equal(callers_left, 0);
}

static void test_stop(void **state UNUSED)
{
	assert_int_equal(rt_run_simulated(1, stopper, NULL), OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_secret_frames),
		cmocka_unit_test(test_call),
		cmocka_unit_test(test_error),
		cmocka_unit_test(test_not_served),
		cmocka_unit_test(test_told),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_more_than_served_at_once),
		cmocka_unit_test(test_too_many_wait),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_late_reply),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_peer_loss),
		cmocka_unit_test(test_closed_callback),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_strange_but_harmless),
		cmocka_unit_test(test_backlog),
		cmocka_unit_test(test_large_body),
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_many_descriptors),
		cmocka_unit_test(test_no_descriptors),
		cmocka_unit_test(test_broken_descriptors),
		cmocka_unit_test(test_peers_filter),
		cmocka_unit_test(test_stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
