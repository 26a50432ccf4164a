/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include "smtp/client_fake.h"
#include "smtp/client_fate.h"

#define REPLIES(...)                \
	(const struct fake_reply[]) \
	{                           \
		__VA_ARGS__,        \
		{                   \
			NULL, NULL  \
		}                   \
	}
#define HELLO "EHLO client.example\r\n"

static void parsed(void **state UNUSED)
{
	ARENA(a, 1 << 16);
	struct fate_reply r;

	assert_int_equal(fate_parse(STR("VERSION=7 FINAL=0\n"
	                                "relayed b+2Bt@y AT=2026-01-01T00:00:01Z STATUS=2.0.0 HOST=mx.y[192.0.2.1]:25 "
	                                "SECURITY=TLSv1.3+20x"
	                                " ORIGINAL=o@y REPLY=Ok:+20queued\n"
	                                "delayed \"c+20d\"@y REPLY=+C3+BC DUE=2026-01-01T00:00:02Z NEW=thing "
	                                "AT=2026-01-01T00:00:01.5Z odd\n"
	                                "MAILBOX e@z AT=1970-01-01T00:00:00Z\nEnd\n"),
	                            &r, &a),
	                 OK);
	assert_int_equal(r.version, 7);
	assert_int_equal(r.final, 0);
	assert_int_equal(r.fates_n, 3);
	assert_int_equal(r.fates[0].state, FATE_RELAYED);
	assert_str(r.fates[0].address, "b+t@y");
	assert_int_equal(r.fates[0].at, 1767225601000000);
	assert_str(r.fates[0].status, "2.0.0");
	assert_str(r.fates[0].host, "mx.y[192.0.2.1]:25");
	assert_str(r.fates[0].security, "TLSv1.3 x");
	assert_str(r.fates[0].original, "o@y");
	assert_str(r.fates[0].reply, "Ok: queued");
	assert_int_equal(r.fates[1].state, FATE_DELAYED);
	assert_str(r.fates[1].address, "\"c d\"@y");
	assert_int_equal(r.fates[1].due, 1767225602000000);
	assert_int_equal(r.fates[1].at, 1767225601500000);
	assert_str(r.fates[1].reply, "\xc3\xbc");
	assert_int_equal(r.fates[2].state, FATE_MAILBOX);
	assert_int_equal(fate_parse(STR("VERSION=1 FINAL=1\nEnd\n"), &r, &a), OK);
	assert_int_equal(r.final, 1);
	assert_int_equal(r.fates_n, 0);
}

static void malformed(void **state UNUSED)
{
	static const char *const bad[] = {
		"",
		"End\n",
		"VERSION=1 FINAL=1\n",
		"VERSION=1\nEnd\n",
		"VERSION=x FINAL=0\nEnd\n",
		"VERSION=1 FINAL=2\nEnd\n",
		"FINAL=1 VERSION=1\nEnd\n",
		"VERSION=1 FINAL=1\nqueued a@x\n",
		"VERSION=1 FINAL=1\ngone a@x\nEnd\n",
		"VERSION=1 FINAL=1\nqueued\nEnd\n",
		"VERSION=1 FINAL=1\n\nEnd\n",
		"VERSION=1 FINAL=1\nqueued a+0A@x\nEnd\n",
		"VERSION=1 FINAL=1\nqueued a@x AT=now\nEnd\n",
		"VERSION=1 FINAL=1\nqueued a@x REPLY=+zz\nEnd\n",
		"VERSION=1 FINAL=1\nqueued a@x AT=1969-01-01T00:00:00Z\nEnd\n",
	};
	struct fate_reply r;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		ARENA(a, 1 << 16);

		if (fate_parse(str_from(bad[i]), &r, &a) != E_SYNTAX)
			fail_msg("%s", bad[i]);
	}
	ARENA(small, 100);
	assert_int_equal(fate_parse(STR("VERSION=1 FINAL=1\nqueued a@x\nEnd\n"), &r, &small), E_LIMIT);
}

struct question {
	str id;
	uint64_t seen, wait_ms;
	err result;
	struct fate_reply reply;
};

static void ask(struct meeting *m, struct smtp_client *c)
{
	struct question *q = m->ctx;

	m->greeted = smtp_client_greet(c);
	q->result = smtp_client_fate(c, q->id, q->seen, q->wait_ms, &q->reply, &m->arena);
}

static void check(struct question *q, const char *extensions, const char *reply, err want, const char *said)
{
	struct meeting m = {
		.server = {.extensions = extensions, .replies = REPLIES({"XFATE", reply})}, .act = ask, .ctx = q};

	assert_int_equal(meet(&m, 1), OK);
	assert_str(buf_str(&m.server.commands), said);
	assert_int_equal(q->result, want);
	meeting_end(&m);
}

static void asked(void **state UNUSED)
{
	struct question q = {.id = STR("16J"), .seen = 3, .wait_ms = 1001};

	check(&q, "XFATE", "250-VERSION=4 FINAL=1\r\n250-mailbox a@x\r\n250 End\r\n", OK,
	      HELLO "XFATE 16J SEEN=3 WAIT=2\r\nQUIT\r\n");
	assert_int_equal(q.reply.version, 4);
	check(&q, "XFATE", "550 5.1.0 no\r\n", E_NOT_FOUND, HELLO "XFATE 16J SEEN=3 WAIT=2\r\nQUIT\r\n");
	check(&q, "XFATE", "530 5.7.0 who?\r\n", E_PERM, HELLO "XFATE 16J SEEN=3 WAIT=2\r\nQUIT\r\n");
	check(&q, "XFATE", "451 4.3.0 later\r\n", E_TEMP, HELLO "XFATE 16J SEEN=3 WAIT=2\r\nQUIT\r\n");
	check(&q, "XFATE", "250 what?\r\n", E_SYNTAX, HELLO "XFATE 16J SEEN=3 WAIT=2\r\nQUIT\r\n");
	q.wait_ms = UINT64_MAX;
	check(&q, "XFATE", "550 5.1.0 no\r\n", E_NOT_FOUND, HELLO "XFATE 16J SEEN=3 WAIT=600\r\nQUIT\r\n");
	check(&q, "", "250 End\r\n", E_PERM, HELLO "QUIT\r\n");
	q.id = STR("16J\r\nRSET");
	check(&q, "XFATE", "250 End\r\n", E_SYNTAX, HELLO "QUIT\r\n");
}

/* As many recipients as a list has. */
static void long_reports(void **state UNUSED)
{
	struct question q = {.id = STR("16J")};
	BUF(reply, 1 << 20);

	buf_puts(&reply, "250-VERSION=1 FINAL=0\r\n");
	for (int i = 0; i < 2000; i++)
		buf_printf(&reply, "250-queued recipient%d@example.org AT=2026-01-01T00:00:01Z STATUS=4.4.1\r\n", i);
	buf_puts(&reply, "250 End\r\n");
	buf_putc(&reply, '\0');
	check(&q, "XFATE", reply.p, OK, HELLO "XFATE 16J SEEN=0 WAIT=0\r\nQUIT\r\n");
	assert_int_equal(q.reply.fates_n, 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parsed),
		cmocka_unit_test(malformed),
		cmocka_unit_test(asked),
		cmocka_unit_test(long_reports),
	};

	return cmocka_run_group_tests_name("client_fate", tests, NULL, NULL);
}
