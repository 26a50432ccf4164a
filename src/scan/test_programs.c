/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include "scan/fake.h"

struct run {
	const char *settings;
	struct fake fake;
	bool ours;
	/* what came of it */
	err e;
	struct scan_result result;
	struct buf findings;
};

static void clamd_answer(struct fake *f, struct stream *s)
{
	/* Four zero octets end the message: the last that comes, behind its last line. */
	while (f->heard.n < 4 || memcmp(f->heard.p + f->heard.n - 4, "\0\0\0\0", 4) != 0) {
		str bytes;
		if (stream_peek(s, &bytes, rt_after(FAKE_TIME)) != OK)
			return;
		buf_put(&f->heard, bytes);
		stream_consume(s, bytes.n);
	}
	fake_say(f, s);
}

static void spamd_answer(struct fake *f, struct stream *s)
{
	fake_hear(f, s, "\r\n.dot\r\n");
	fake_say(f, s);
}

static void silence(struct fake *f, struct stream *s)
{
	fake_hear(f, s, "never");
}

static void run_inside(void *arg)
{
	struct run *r = arg;
	struct config *c = fake_config(r->settings);
	struct origin o;
	struct rcpt rcpts[] = {{.address = STR("b@example.org")}};
	struct inspect_request q = fake_request(&o, rcpts, 1);
	ARENA(a, 1 << 20);

	r->findings = BUF_INIT(FINDINGS_MAX);
	r->fake.heard = BUF_INIT(1 << 20);
	struct scan_input in = {.config = c,
	                        .message = &q,
	                        .ours = r->ours,
	                        .deadline = rt_after(20 * NSEC_PER_SEC),
	                        .dial = fake_dial,
	                        .ctx = &r->fake};
	r->e = scan_message(&in, &r->findings, &a, &r->result);
	if (r->result.text.n > 0) { /* outlives the arena */
		static char text[200];
		memcpy(text, r->result.text.p, r->result.text.n);
		r->result.text.p = text;
	}
	config_release(c);
}

static void run(struct run *r)
{
	assert_int_equal(rt_run(run_inside, r), OK);
	assert_int_equal(r->e, OK);
}

static void done(struct run *r)
{
	buf_free(&r->findings);
	buf_free(&r->fake.heard);
}

static bool found(const struct run *r, const char *text)
{
	return str_contains(buf_str(&r->findings), str_from(text));
}

#define SAYS(text) .says = (text), .says_n = sizeof(text) - 1

static void clamd_finds_nothing(void **state UNUSED)
{
	struct run r = {.settings = "scanner clamd 127.0.0.1:3310",
	                .fake = {.serve = clamd_answer, SAYS("stream: OK\n")}};

	run(&r);
	assert_int_equal(r.result.action, SCAN_NOTHING);
	assert_true(found(&r, "clean"));
	assert_true(str_starts(buf_str(&r.fake.heard), STR("nINSTREAM\n\0\0\0")));
	assert_true(str_contains(buf_str(&r.fake.heard), STR(FAKE_MESSAGE)));
	done(&r);
}

static void clamd_finds_something(void **state UNUSED)
{
	struct run r = {.settings = "scanner clamd 127.0.0.1:3310",
	                .fake = {.serve = clamd_answer, SAYS("stream: Eicar-Test\x1b FOUND\n")}};

	run(&r);
	assert_int_equal(r.result.action, SCAN_REJECT);
	assert_int_equal(r.result.reply, 550);
	assert_true(str_contains(r.result.text, STR("Eicar-Test?")));
	done(&r);
}

static void failures(void **state UNUSED)
{
	static const struct {
		void (*serve)(struct fake *f, struct stream *s);
		const char *says;
		size_t n;
		bool away;
	} cases[] = {
		{clamd_answer, "stream: INSTREAM size limit exceeded. ERROR\n", 44, false},
		{clamd_answer, "garbage\n", 8, false},
		{clamd_answer, "", 0, false},
		{silence, "", 0, false},
		{silence, "", 0, true},
	};

	for (size_t i = 0; i < 2 * ARRAY_LEN(cases); i++) {
		size_t at = i / 2;
		struct run r = {.settings = i % 2 == 0 ? "scanner clamd 127.0.0.1:3310 timeout 1s fail open"
		                                       : "scanner clamd 127.0.0.1:3310 timeout 1s fail closed",
		                .fake = {.serve = cases[at].serve,
		                         .says = cases[at].says,
		                         .says_n = cases[at].n,
		                         .away = cases[at].away}};
		run(&r);
		assert_int_equal(r.result.action, i % 2 == 0 ? SCAN_NOTHING : SCAN_LATER);
		assert_int_equal(r.result.reply, i % 2 == 0 ? 0 : 451);
		assert_true(found(&r, "failed"));
		done(&r);
	}
}

static void spamd_gives_points(void **state UNUSED)
{
	struct run r = {.settings = "scanner spamd 127.0.0.1:783",
	                .fake = {.serve = spamd_answer,
	                         SAYS("SPAMD/1.1 0 EX_OK\r\nContent-length: 13\r\nSpam: True ; 10.0 / "
	                              "5.0\r\n\r\nRULE_A,RULE_B")}};

	run(&r);
	assert_int_equal(r.result.action, SCAN_NOTHING);
	assert_int_equal(r.result.points, 10000);
	assert_true(found(&r, "RULE_A,RULE_B"));
	assert_true(str_contains(buf_str(&r.fake.heard), STR("Received: from a.example.com ([192.0.2.1])")));
	done(&r);
}

static void spamd_that_makes_no_sense(void **state UNUSED)
{
	static const char *const says[] = {"SPAMD/1.1 76 Bad header line\r\n\r\n",
	                                   "SPAMD/1.1 0 EX_OK\r\n\r\n",
	                                   "SPAMD/1.1 0 EX_OK\r\nSpam: True ; nan / 5.0\r\n\r\n",
	                                   "SPAMD/1.1 0 EX_OK\r\nSpam: True ; 1e9 / 5.0\r\n\r\n",
	                                   "SPAMD/1.1 0 EX_OK\r\nSpam: True ; 1 / 0\r\n\r\n",
	                                   "HTTP/1.0 400 No\r\n\r\n"};

	for (size_t i = 0; i < ARRAY_LEN(says); i++) {
		struct run r = {.settings = "scanner spamd 127.0.0.1:783",
		                .fake = {.serve = spamd_answer, .says = says[i], .says_n = strlen(says[i])}};
		run(&r);
		assert_int_equal(r.result.points, 0);
		assert_true(found(&r, "failed"));
		done(&r);
	}
}

static void only_the_mail_that_is_meant(void **state UNUSED)
{
	static const struct {
		const char *settings;
		bool ours;
		size_t dialled;
	} cases[] = {
		{"scanner clamd 127.0.0.1:3310", false, 1},         {"scanner clamd 127.0.0.1:3310", true, 0},
		{"scanner clamd 127.0.0.1:3310 mail out", true, 1}, {"scanner clamd 127.0.0.1:3310 mail out", false, 0},
		{"scanner clamd 127.0.0.1:3310 mail all", true, 1}, {"", false, 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct run r = {.settings = cases[i].settings,
		                .ours = cases[i].ours,
		                .fake = {.serve = clamd_answer, SAYS("stream: OK\n")}};
		run(&r);
		assert_int_equal(r.fake.dialled, cases[i].dialled);
		done(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clamd_finds_nothing),
		cmocka_unit_test(clamd_finds_something),
		cmocka_unit_test(failures),
		cmocka_unit_test(spamd_gives_points),
		cmocka_unit_test(spamd_that_makes_no_sense),
		cmocka_unit_test(only_the_mail_that_is_meant),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
