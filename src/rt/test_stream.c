/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rt/pool.h"
#include "rt/stream.h"

#define SOON (rt_after(5 * NSEC_PER_SEC))

/* Two connected streams and what the coroutines on them saw; compared after the loop, as cmocka leaves by longjmp. */
struct talk {
	struct stream *a, *b;
	struct buf log;
	size_t count;
	bool ok;
};

static void logged(struct talk *t, err e, str text)
{
	if (e == OK)
		buf_put(&t->log, text);
	else
		buf_puts(&t->log, err_name(e));
	buf_putc(&t->log, '|');
}

static void log_line(struct talk *t, struct stream *s, size_t max)
{
	str line;
	err e = stream_read_line(s, max, &line, SOON);

	logged(t, e, line);
}

enum kind { SOCKETS, PAIR, TORN, TCP };

struct scene {
	void (*play)(struct talk *t);
	struct talk talk;
	enum kind kind;
	size_t read_max;
};

static bool open_sockets(struct scene *scene)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
		return false;
	scene->talk.a = stream_open_fd(fds[0], scene->read_max);
	scene->talk.b = stream_open_fd(fds[1], scene->read_max);
	return scene->talk.a && scene->talk.b;
}

static bool open_tcp(struct scene *scene)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
	    b = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ok = bind(listener, (struct sockaddr *)&address, n) == 0 && listen(listener, 1) == 0 &&
	          getsockname(listener, (struct sockaddr *)&address, &n) == 0 &&
	          connect(b, (struct sockaddr *)&address, n) == 0;

	scene->talk.a = stream_open_fd(accept4(listener, NULL, NULL, SOCK_CLOEXEC), scene->read_max);
	scene->talk.b = stream_open_fd(b, scene->read_max);
	close(listener);
	return ok && scene->talk.a && scene->talk.b;
}

static bool open_streams(struct scene *scene)
{
	struct talk *t = &scene->talk;

	if (scene->kind == TCP)
		return open_tcp(scene);
	return scene->kind == SOCKETS ? open_sockets(scene)
	                              : stream_pair(&t->a, &t->b, scene->read_max, scene->kind == TORN);
}

static void play_scene(void *arg)
{
	struct scene *scene = arg;
	struct talk *t = &scene->talk;

	t->ok = open_streams(scene);
	if (t->ok)
		scene->play(t);
	while (rt_count() > 1)
		rt_yield();
	stream_close(t->a);
	stream_close(t->b);
}

static void play(enum kind kind, size_t read_max, void (*fn)(struct talk *), const char *want)
{
	struct scene scene = {.play = fn, .kind = kind, .read_max = read_max, .talk.log = BUF_INIT(1 << 20)};

	assert_int_equal(rt_run(play_scene, &scene), OK);
	assert_true(scene.talk.ok);
	assert_str(buf_str(&scene.talk.log), want);
	buf_reset(&scene.talk.log);
	if (kind == PAIR || kind == TORN) {
		for (uint64_t seed = 0; seed < 20; seed++) {
			assert_int_equal(rt_run_simulated(seed, play_scene, &scene), OK);
			assert_str(buf_str(&scene.talk.log), want);
			buf_reset(&scene.talk.log);
		}
	}
	buf_free(&scene.talk.log);
}

static void everywhere(size_t read_max, void (*fn)(struct talk *), const char *want)
{
	play(SOCKETS, read_max, fn, want);
	play(PAIR, read_max, fn, want);
	play(TORN, read_max, fn, want);
}

static void put_lines(void *arg)
{
	struct talk *t = arg;

	stream_put(t->a, STR("one\r\ntwo\n"));
	stream_put(t->a, STR("\n"));
	stream_printf(t->a, "%s %d\r\n", "three", 3);
	stream_put(t->a, STR("rest"));
	stream_flush(t->a);
	stream_close(t->a);
	t->a = NULL;
}

static void read_lines(struct talk *t)
{
	rt_spawn(put_lines, t, "writer");
	for (int i = 0; i < 6; i++)
		log_line(t, t->b, 512);
}

static void test_lines(void **state UNUSED)
{
	everywhere(4096, read_lines, "one\r\n|two\n|\n|three 3\r\n|closed|closed|");
}

static void put_long_lines(void *arg)
{
	struct talk *t = arg;
	char line[40000];

	memset(line, 'x', sizeof(line));
	for (size_t n = 1; n < sizeof(line); n = n * 3 + 1) {
		stream_put(t->a, str_make(line, n));
		stream_put(t->a, STR("\n"));
	}
	stream_put(t->a, STR("0123456\n01234567\nend\n"));
	stream_flush(t->a);
}

static void read_long_lines(struct talk *t)
{
	str line;

	rt_spawn(put_long_lines, t, "writer");
	for (;;) {
		err e = stream_read_line(t->b, 8, &line, SOON);

		logged(t, e, line);
		if (e != E_LIMIT && (e != OK || str_equal(line, STR("end\n"))))
			break;
	}
}

static void test_line_limit(void **state UNUSED)
{
	const char *want = "x\n|xxxx\n|limit|limit|limit|limit|limit|limit|limit|limit|0123456\n|limit|end\n|";

	everywhere(100, read_long_lines, want);
	everywhere(1 << 20, read_long_lines, want);
}

static void read_grown_lines(struct talk *t)
{
	str line;

	rt_spawn(put_long_lines, t, "writer");
	while (stream_read_line(t->b, 1 << 16, &line, SOON) == OK && !str_equal(line, STR("end\n")))
		buf_printf(&t->log, "%zu|", line.n);
}

static void test_lines_longer_than_a_buffer(void **state UNUSED)
{
	everywhere(1 << 16, read_grown_lines, "2|5|14|41|122|365|1094|3281|9842|29525|8|9|");
}

/* An answer that was put, not flushed, goes out before the next read waits. */
static void answer(void *arg)
{
	struct talk *t = arg;
	str line;

	while (stream_read_line(t->a, 100, &line, SOON) == OK)
		stream_printf(t->a, "re: " STR_FMT, STR_ARG(line));
}

static void ask(struct talk *t)
{
	rt_spawn(answer, t, "answers");
	stream_put(t->b, STR("a\nb\n"));
	log_line(t, t->b, 100);
	log_line(t, t->b, 100);
	stream_put(t->b, STR("c\n"));
	log_line(t, t->b, 100);
	stream_close(t->b);
	t->b = NULL;
}

static void test_reading_flushes(void **state UNUSED)
{
	everywhere(4096, ask, "re: a\n|re: b\n|re: c\n|");
}

/* The peer ended its sending side behind its last command: it still gets the answers. */
static void ask_and_shut(struct talk *t)
{
	rt_spawn(answer, t, "answers");
	stream_put(t->b, STR("a\nb\n"));
	stream_flush(t->b);
	shutdown(stream_fd(t->b), SHUT_WR);
	log_line(t, t->b, 100);
	log_line(t, t->b, 100);
}

static void test_half_closed(void **state UNUSED)
{
	play(SOCKETS, 4096, ask_and_shut, "re: a\n|re: b\n|");
}

static void send_much(void *arg)
{
	struct talk *t = arg;
	char block[5000];

	for (int i = 0; i < 200; i++) {
		memset(block, 'a' + i % 26, sizeof(block));
		stream_put(t->a, str_make(block, sizeof(block)));
	}
	stream_flush(t->a);
}

/* The end comes with what was said last, and the other direction stays open. */
static void say_goodbye(struct talk *t)
{
	stream_put(t->a, STR("bye\n"));
	logged(t, stream_finish(t->a), STR("finished"));
	stream_put(t->a, STR("too late\n"));
	logged(t, stream_finish(t->a), STR("finished"));
	log_line(t, t->b, 100);
	log_line(t, t->b, 100);
	stream_put(t->b, STR("late\n"));
	stream_flush(t->b);
	log_line(t, t->a, 100);
}

/* More than leaves with the end, and more than the socket takes at once. */
static void finish_much(void *arg)
{
	struct talk *t = arg;

	send_much(t);
	stream_put(t->a, STR("bye\n"));
	t->ok = stream_finish(t->a) == OK;
}

static void count_all(struct talk *t)
{
	str bytes;

	t->ok = false;
	rt_spawn(finish_much, t, "writer");
	while (stream_peek(t->b, &bytes, SOON) == OK) {
		t->count += bytes.n;
		stream_consume(t->b, bytes.n);
	}
	buf_printf(&t->log, "%zu", t->count);
	t->count = 0;
}

static unsigned segments_in(const struct stream *s)
{
	struct tcp_info info = {0};
	socklen_t n = sizeof(info);

	(void)!getsockopt(stream_fd(s), IPPROTO_TCP, TCP_INFO, &info, &n);
	return info.tcpi_segs_in;
}

/* A close with something unread tells the peer so, but not before the goodbye has left. */
static void goodbye_to_a_talker(struct talk *t)
{
	unsigned before = segments_in(t->b);

	stream_put(t->a, STR("bye\n"));
	stream_finish(t->a);
	buf_printf(&t->log, "%u|", segments_in(t->b) - before);
	stream_put(t->b, STR("unread\n"));
	stream_flush(t->b);
	stream_close(t->a);
	t->a = NULL;
	log_line(t, t->b, 100);
}

static void test_finish(void **state UNUSED)
{
	for (enum kind kind = SOCKETS; kind <= TCP; kind++) {
		play(kind, 4096, say_goodbye, "finished|finished|bye\n|closed|late\n|");
		play(kind, 4096, count_all, "1000004");
	}
	play(TCP, 4096, goodbye_to_a_talker, "1|bye\n|");
}

static void read_much(struct talk *t)
{
	char first[7001];
	size_t n = sizeof(first), wrong = 0, largest = 0;
	str bytes;

	rt_spawn(send_much, t, "writer");
	if (stream_read(t->b, first, sizeof(first), SOON) != OK)
		return;
	while (n < 1000000 && stream_peek(t->b, &bytes, SOON) == OK) {
		for (size_t i = 0; i < bytes.n; i++)
			wrong += bytes.p[i] != (char)('a' + (n + i) / 5000 % 26);
		largest = bytes.n > largest ? bytes.n : largest;
		n += bytes.n;
		stream_consume(t->b, bytes.n);
	}
	buf_printf(&t->log, "%zu %zu %s", n, wrong, largest <= 65536 ? "bounded" : "unbounded");
}

static void test_bulk(void **state UNUSED)
{
	everywhere(1 << 20, read_much, "1000000 0 bounded");
	everywhere(3000, read_much, "1000000 0 bounded");
}

static void peek_and_discard(struct talk *t)
{
	str bytes;

	stream_put(t->a, STR("STARTTLS\r\nsmuggled\r\n"));
	stream_flush(t->a);
	log_line(t, t->b, 100);
	logged(t, OK, stream_buffered(t->b));
	stream_discard_input(t->b);
	logged(t, OK, stream_buffered(t->b));
	stream_put(t->a, STR("next"));
	stream_flush(t->a);
	logged(t, stream_peek(t->b, &bytes, SOON), STR("peeked"));
	logged(t, OK, bytes);
	stream_consume(t->b, 2);
	logged(t, stream_peek(t->b, &bytes, SOON), STR("again"));
	logged(t, OK, bytes);
	stream_consume(t->b, 99);
	logged(t, OK, stream_buffered(t->b));
}

static void test_peek_and_discard(void **state UNUSED)
{
	const char *want = "STARTTLS\r\n|smuggled\r\n||peeked|next|again|xt||";

	play(SOCKETS, 4096, peek_and_discard, want);
	play(PAIR, 4096, peek_and_discard, want);
}

/* After a timeout reading is over, but the last word gets through. */
static void poll_input(struct talk *t)
{
	logged(t, OK, stream_poll(t->b));
	stream_put(t->a, STR("early"));
	stream_flush(t->a);
	logged(t, OK, stream_poll(t->b));
	logged(t, OK, stream_poll(t->b));
	stream_consume(t->b, 5);
	logged(t, OK, stream_poll(t->b));
	stream_close(t->a);
	t->a = NULL;
	logged(t, OK, stream_poll(t->b));
	logged(t, stream_error(t->b), STR("no error"));
	log_line(t, t->b, 100);
}

static void test_poll(void **state UNUSED)
{
	play(SOCKETS, 4096, poll_input, "|early|early|||no error|closed|");
	play(PAIR, 4096, poll_input, "|early|early|||no error|closed|");
}

static void time_out(struct talk *t)
{
	str line;
	char c;

	logged(t, stream_read_line(t->b, 100, &line, rt_after(NSEC_PER_MSEC)), line);
	stream_put(t->a, STR("too late\n"));
	stream_flush(t->a);
	log_line(t, t->b, 100);
	logged(t, stream_read(t->b, &c, 1, SOON), STR_NONE);
	logged(t, stream_peek(t->b, &line, SOON), line);
	stream_put(t->b, STR("421 bye\n"));
	logged(t, stream_flush(t->b), STR_NONE);
	logged(t, stream_error(t->b), STR_NONE);
	log_line(t, t->a, 100);
}

static void test_timeout_sticks(void **state UNUSED)
{
	everywhere(4096, time_out, "timeout|timeout|timeout|timeout|timeout|timeout|421 bye\n|");
}

static void write_to_nobody(struct talk *t)
{
	str line;

	stream_close(t->a);
	t->a = NULL;
	stream_put(t->b, STR("hello\n"));
	logged(t, stream_flush(t->b), STR_NONE);
	stream_put(t->b, STR("hello\n"));
	logged(t, stream_flush(t->b), STR_NONE);
	logged(t, stream_read_line(t->b, 100, &line, SOON), line);
}

static void test_write_error_sticks(void **state UNUSED)
{
	everywhere(4096, write_to_nobody, "closed|closed|closed|");
}

/* A peer that does not read holds us up no longer than we said. */
static void write_to_sleeper(struct talk *t)
{
	char block[4096] = {0};

	stream_write_timeout(t->b, 20 * NSEC_PER_MSEC);
	for (int i = 0; i < 1000 && stream_error(t->b) == OK; i++)
		stream_put(t->b, str_make(block, sizeof(block)));
	logged(t, stream_error(t->b), STR_NONE);
	logged(t, stream_flush(t->b), STR_NONE);
}

static void test_write_timeout(void **state UNUSED)
{
	everywhere(4096, write_to_sleeper, "timeout|timeout|");
}

static void read_until_cancelled(void *arg)
{
	struct talk *t = arg;

	log_line(t, t->b, 100);
	stream_put(t->b, STR("421 stopping\n"));
	stream_flush(t->b);
}

static void cancel_reader(struct talk *t)
{
	struct co *co = rt_spawn(read_until_cancelled, t, "reader");

	rt_yield();
	rt_cancel(co);
	log_line(t, t->a, 100);
}

static void test_cancelled_reader_says_goodbye(void **state UNUSED)
{
	everywhere(4096, cancel_reader, "cancelled|421 stopping\n|");
}

static void print_long(struct talk *t)
{
	char text[3000];
	str line;

	memset(text, 't', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (int i = 0; i < 10; i++)
		stream_printf(t->a, "%d%s\n", i, text);
	stream_flush(t->a);
	for (int i = 0; i < 10; i++) {
		err e = stream_read_line(t->b, 4000, &line, SOON);

		logged(t, e, str_take(line, 2));
		t->count += line.n;
	}
	buf_printf(&t->log, "%zu", t->count);
	t->count = 0;
}

/* What was read is not in the buffer that others get. */
static void read_a_secret(struct talk *t)
{
	stream_put(t->a, STR("PASS secret\r\n"));
	(void)!stream_flush(t->a);
	log_line(t, t->b, 100);
	stream_put(t->a, STR("QUIT\r\n"));
	stream_discard_input(t->b);
	char *p = pool_take(POOL_SMALL);
	buf_puts(&t->log, p != NULL && memmem(p, 64, "secret", 6) == NULL ? "forgotten|" : "there|");
	pool_give(p, POOL_SMALL);
}

static void test_input_is_overwritten(void **state UNUSED)
{
	play(SOCKETS, POOL_SMALL, read_a_secret, "PASS secret\r\n|forgotten|");
}

static void test_printf(void **state UNUSED)
{
	play(SOCKETS, 4096, print_long, "0t|1t|2t|3t|4t|5t|6t|7t|8t|9t|30010");
	play(PAIR, 4096, print_long, "0t|1t|2t|3t|4t|5t|6t|7t|8t|9t|30010");
}

/* A peer that always has sent more already. */
static ssize_t flood_read(void *t UNUSED, char *p, size_t n)
{
	memset(p, 'x', n);
	return (ssize_t)n;
}

static ssize_t flood_write(void *t UNUSED, const char *p UNUSED, size_t n)
{
	return (ssize_t)n;
}

static err flood_wait(void *t UNUSED, nsec deadline UNUSED)
{
	return OK;
}

static void flood_close(void *t UNUSED)
{
}

static void read_flood(void *arg)
{
	static const struct transport flood = {flood_read, flood_write, flood_wait, flood_wait, flood_close, NULL};
	struct stream *s = stream_open(&flood, NULL, 4096);
	str line;

	*(err *)arg = stream_read_line(s, 100, &line, rt_after(NSEC_PER_SEC / 50));
	stream_close(s);
}

static void test_endless_line_times_out(void **state UNUSED)
{
	err seen = OK;

	assert_int_equal(rt_run(read_flood, &seen), OK);
	assert_int_equal(seen, E_TIMEOUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_line_limit),
		cmocka_unit_test(test_lines_longer_than_a_buffer),
		cmocka_unit_test(test_reading_flushes),
		cmocka_unit_test(test_half_closed),
		cmocka_unit_test(test_bulk),
		cmocka_unit_test(test_finish),
		cmocka_unit_test(test_peek_and_discard),
		cmocka_unit_test(test_poll),
		cmocka_unit_test(test_timeout_sticks),
		cmocka_unit_test(test_endless_line_times_out),
		cmocka_unit_test(test_write_error_sticks),
		cmocka_unit_test(test_write_timeout),
		cmocka_unit_test(test_cancelled_reader_says_goodbye),
		cmocka_unit_test(test_printf),
		cmocka_unit_test(test_input_is_overwritten),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
