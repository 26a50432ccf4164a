/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include "scan/fake.h"
#include "scan/milter_packet.h"

/* What the milter does: to each command that is answered it says CONTINUE, but for `on`, where it says these packets instead. */
struct packet {
	char kind; /* NUL: `data` is raw octets, no packet */
	const char *data;
	size_t n;
};
#define PACKET(kind, data)                       \
	{                                        \
		(kind), (data), sizeof(data) - 1 \
	}
enum { PACKETS_MAX = 8 };
struct script {
	uint32_t steps; /* that it wants */
	char on;
	struct packet with[PACKETS_MAX];
	bool dies; /* instead of the last word */
};

static void say(struct stream *s, const struct packet *with)
{
	for (size_t i = 0; i < PACKETS_MAX && with[i].data != NULL; i++)
		if (with[i].kind == '\0')
			stream_put(s, str_make(with[i].data, with[i].n));
		else
			milter_put(s, with[i].kind, &(str){with[i].data, with[i].n}, 1);
	(void)stream_flush(s);
}

static void negotiate(struct stream *s, const struct script *script)
{
	char numbers[12];

	milter_number(6, numbers);
	milter_number(0xff, numbers + 4);
	milter_number(script->steps, numbers + 8);
	milter_put(s, 'O', &(str){numbers, 12}, 1);
	(void)stream_flush(s);
}

static void serve(struct fake *f, struct stream *s)
{
	const struct script *script = (const void *)f->says;
	struct buf memory = BUF_INIT(MILTER_PACKET_MAX);
	struct milter_packet p;

	while (milter_get(s, &memory, &p, rt_after(FAKE_TIME)) == OK && p.kind != MILTER_QUIT) {
		buf_putc(&f->heard, p.kind);
		buf_put(&f->heard, p.data);
		buf_putc(&f->heard, '\n');
		if (p.kind == 'O')
			negotiate(s, script);
		else if (p.kind == script->on)
			say(s, script->with);
		else if (p.kind != 'D')
			say(s, (struct packet[PACKETS_MAX]){PACKET('c', "")});
		if (p.kind == script->on && script->dies)
			break;
	}
	buf_free(&memory);
}

struct run {
	struct script script;
	const char *settings;
	str client_name;
	uint64_t flags;
	struct rcpt first;
	struct fake fake;
	err e;
	enum scan_action action;
	int reply;
	unsigned changed;
	struct buf findings, body, envelope, text;
};

static void run_inside(void *arg)
{
	struct run *r = arg;
	struct config *c =
		fake_config(r->settings == NULL ? "scanner milter 127.0.0.1:1 timeout 2s fail closed" : r->settings);
	struct origin o;
	struct rcpt rcpts[] = {{.address = STR("b@example.org")}, {.address = STR("c@example.org")}};
	struct inspect_request q = fake_request(&o, rcpts, 2);
	q.flags = r->flags;
	if (r->first.address.n > 0)
		rcpts[0] = r->first;
	struct scan_result result;
	ARENA(a, 8 << 20);

	r->findings = BUF_INIT(FINDINGS_MAX);
	r->body = r->envelope = r->text = BUF_INIT(1 << 20);
	r->fake = (struct fake){.serve = serve, .says = (const void *)&r->script, .heard = BUF_INIT(1 << 20)};
	struct scan_input in = {.config = c,
	                        .message = &q,
	                        .client_name = r->client_name,
	                        .deadline = rt_after(20 * NSEC_PER_SEC),
	                        .dial = fake_dial,
	                        .ctx = &r->fake};
	r->e = scan_message(&in, &r->findings, &a, &result);
	r->action = result.action;
	r->reply = result.reply;
	r->changed = result.changed;
	buf_put(&r->text, result.text);
	if ((result.changed & CHANGED_BODY) != 0)
		buf_put(&r->body, result.new_body.bytes);
	body_release(&result.new_body);
	buf_printf(&r->envelope, STR_FMT, STR_ARG(result.new_sender));
	for (size_t i = 0; i < result.new_rcpts_n; i++)
		buf_printf(&r->envelope, " " STR_FMT, STR_ARG(result.new_rcpts[i].address));
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
	buf_free(&r->body);
	buf_free(&r->envelope);
	buf_free(&r->text);
	buf_free(&r->fake.heard);
}

#define OCTETS(text) str_make((text), sizeof(text) - 1)

static void is_told_everything(void **state UNUSED)
{
	struct run r = {.script = {.on = 0}};

	run(&r);
	str heard = buf_str(&r.fake.heard);
	assert_int_equal(r.action, SCAN_NOTHING);
	assert_int_equal(r.changed, 0);
	assert_true(str_contains(heard, OCTETS("{client_addr}\000192.0.2.1\0{client_name}\0unknown\0\n")));
	assert_true(str_contains(heard, OCTETS("C[192.0.2.1]\0004\0\000192.0.2.1\0\n")));
	assert_true(str_contains(heard, OCTETS("Ha.example.com\0\n")));
	assert_true(str_contains(heard, OCTETS("M<a@example.com>\0\n")));
	assert_true(str_contains(heard, OCTETS("R<b@example.org>\0\n")));
	assert_true(str_contains(heard, OCTETS("R<c@example.org>\0\n")));
	assert_true(str_contains(heard, OCTETS("LReceived\0from a\n by b\0\n")));
	assert_true(str_contains(heard, OCTETS("LSubject\0two\0\n")));
	assert_true(str_contains(heard, STR("N\nBHello\r\n.dot\r\n\n")));
	done(&r);
}

static void is_told_names_and_parameters(void **state UNUSED)
{
	struct run r = {.client_name = STR("mail.example.com"),
	                .flags = MESSAGE_8BIT | MESSAGE_UTF8 | MESSAGE_ALL_OR_NONE,
	                .first = {.address = STR("b@example.org"),
	                          .notify = DSN_FAILURE | DSN_DELAY,
	                          .orcpt = STR("rfc822;b+x@example.org")}};

	run(&r);
	str heard = buf_str(&r.fake.heard);
	assert_true(str_contains(heard, OCTETS("{client_name}\0mail.example.com\0\n")));
	assert_true(str_contains(heard, OCTETS("Cmail.example.com\0004\0\000192.0.2.1\0\n")));
	assert_true(str_contains(heard, OCTETS("M<a@example.com>\0BODY=8BITMIME\0SMTPUTF8\0\n")));
	assert_true(str_contains(heard,
	                         OCTETS("R<b@example.org>\0NOTIFY=FAILURE,DELAY\0ORCPT=rfc822;b+2Bx@example.org\0\n")));
	assert_true(str_contains(heard, OCTETS("R<c@example.org>\0\n")));
	done(&r);
	r = (struct run){.flags = MESSAGE_BINARY | MESSAGE_8BIT | MESSAGE_REQUIRE_TLS,
	                 .first = {.address = STR("b@example.org"), .notify = DSN_NEVER}};
	run(&r);
	assert_true(str_contains(buf_str(&r.fake.heard), OCTETS(">\0BODY=BINARYMIME\0REQUIRETLS\0\n")));
	assert_true(str_contains(buf_str(&r.fake.heard), OCTETS(">\0NOTIFY=NEVER\0\n")));
	done(&r);
}

static void is_not_told_what_it_does_not_want(void **state UNUSED)
{
	struct run r = {.script = {.steps = MILTER_NO_CONNECT | MILTER_NO_HELO | MILTER_NO_MAIL | MILTER_NO_RCPT |
	                                    MILTER_NO_DATA | MILTER_NO_HEADERS | MILTER_NO_HEADER_END | MILTER_NO_BODY,
	                           .on = 0}};

	run(&r);
	str heard = buf_str(&r.fake.heard);
	assert_int_equal(r.action, SCAN_NOTHING);
	assert_false(str_contains(heard, STR("Hello")));
	assert_true(str_contains(heard, STR("\nE\n")));
	done(&r);
}

static void verdicts(void **state UNUSED)
{
	static const struct {
		struct packet with[PACKETS_MAX];
		enum scan_action action;
		int reply;
		const char *text;
	} cases[] = {
		{{PACKET('a', "")}, SCAN_NOTHING, 0, ""},
		{{PACKET('r', "")}, SCAN_REJECT, 550, "Refused"},
		{{PACKET('t', "")}, SCAN_LATER, 451, "try again"},
		{{PACKET('d', "")}, SCAN_DISCARD, 0, ""},
		{{PACKET('p', ""), PACKET('p', ""), PACKET('r', "")}, SCAN_REJECT, 550, "Refused"},
		{{PACKET('y', "554 5.7.9 Not today.\0")}, SCAN_REJECT, 554, "Not today."},
		{{PACKET('y', "451 Not today.\0")}, SCAN_LATER, 451, "Not today."},
		/* What it must not say: the message waits, as the configuration has it (bad-input 49). */
		{{PACKET('y', "554 Not\r\n250 ok\0")}, SCAN_LATER, 451, "cannot be checked"},
		{{PACKET('y', "554 100% spam.\0")}, SCAN_LATER, 451, "cannot be checked"},
		{{PACKET('y', "250 Fine by us\0")}, SCAN_LATER, 451, "cannot be checked"},
		{{PACKET('y', "554")}, SCAN_LATER, 451, "cannot be checked"},
		{{PACKET('?', "")}, SCAN_LATER, 451, "cannot be checked"},
		{{PACKET(0, "\0\0\0\0")}, SCAN_LATER, 451, "cannot be checked"},
		{{PACKET(0, "\377\377\377\377c")}, SCAN_LATER, 451, "cannot be checked"},
	};
	static const char stages[] = {'C', 'H', 'M', 'R', 'T', 'L', 'N', 'B', 'E'};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (size_t j = 0; j < ARRAY_LEN(stages); j++) {
			struct run r = {.script = {.on = stages[j]}};
			memcpy(r.script.with, cases[i].with, sizeof(cases[i].with));
			run(&r);
			assert_int_equal(r.action, cases[i].action);
			assert_int_equal(r.reply, cases[i].reply);
			assert_true(str_contains(buf_str(&r.text), str_from(cases[i].text)));
			assert_int_equal(r.changed, 0);
			done(&r);
		}
}

static void the_header_is_changed(void **state UNUSED)
{
	struct run r = {.script = {.on = 'E',
	                           .with = {PACKET('h', "X-A\0one\nb\0"), PACKET('i', "\0\0\0\0X-Top\0t\0"),
	                                    PACKET('m', "\0\0\0\2subject\0b\0"), PACKET('m', "\0\0\0\1From\0\0"),
	                                    PACKET('m', "\0\0\0\1X-None\0\0"), PACKET('c', "")}}};

	run(&r);
	assert_int_equal(r.action, SCAN_NOTHING);
	assert_int_equal(r.changed, CHANGED_BODY);
	assert_true(str_equal(buf_str(&r.body),
	                      STR("X-Top: t\r\nReceived: from a\r\n by b\r\nSubject: one\r\nsubject: b\r\n"
	                          "X-A: one\r\n\tb\r\n\r\nHello\r\n.dot\r\n")));
	done(&r);
}

static void body_and_envelope_are_changed(void **state UNUSED)
{
	struct run r = {.script = {.on = 'E',
	                           .with = {PACKET('b', "New\nli"), PACKET('b', "ne\r\n"),
	                                    PACKET('e', "<z@example.com>\0"), PACKET('+', "<d@example.net>\0"),
	                                    PACKET('-', "<c@example.org>\0"), PACKET('c', "")}}};

	run(&r);
	assert_int_equal(r.changed, CHANGED_BODY | CHANGED_SENDER | CHANGED_RCPTS);
	assert_true(str_ends(buf_str(&r.body), STR("Subject: two\r\n\r\nNew\r\nline\r\n")));
	assert_true(str_equal(buf_str(&r.envelope), STR("z@example.com b@example.org d@example.net")));
	done(&r);
}

static void quarantine(void **state UNUSED)
{
	struct run r = {.script = {.on = 'E', .with = {PACKET('q', "bad\0"), PACKET('c', "")}}};

	run(&r);
	assert_int_equal(r.action, SCAN_QUARANTINE);
	assert_true(str_contains(buf_str(&r.findings), STR("bad")));
	done(&r);
}

/* bad-input 49: it dies while it replaces the body. Nothing half-changed is left. */
static void one_that_dies_changes_nothing(void **state UNUSED)
{
	for (int closed = 0; closed < 2; closed++) {
		struct run r = {
			.script = {.on = 'E',
		                   .dies = true,
		                   .with = {PACKET('b', "new"), PACKET('h', "X-A\0b\0"), PACKET(0, "\0\0\0\7bhal")}},
			.settings = closed != 0 ? NULL : "scanner milter 127.0.0.1:1 fail open"};
		run(&r);
		assert_int_equal(r.action, closed != 0 ? SCAN_LATER : SCAN_NOTHING);
		assert_int_equal(r.changed, 0);
		done(&r);
	}
}

static void malformed_changes(void **state UNUSED)
{
	static const struct packet cases[] = {
		PACKET('h', "X-A\0"),        /* no value */
		PACKET('h', "X A\0on\0"),    /* no name of a field */
		PACKET('h', "X:A\0on\0"),    /* likewise */
		PACKET('i', "\0\0"),         /* half an index */
		PACKET('+', "<a@b>"),        /* no end */
		PACKET('+', "<a b>\0"),      /* no address */
		PACKET('+', "<a@b\r\nX>\0"), /* likewise */
		PACKET('+', "<>\0"),         /* nobody */
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct run r = {.script = {.on = 'E', .with = {cases[i], PACKET('c', "")}}};
		run(&r);
		assert_int_equal(r.action, SCAN_LATER);
		assert_int_equal(r.changed, 0);
		done(&r);
	}
}

/* However much it wants, it is the scanner that has failed, not the message. */
static void very_many_changes(void **state UNUSED)
{
	static char field[400 << 10] = "X-A";
	const struct packet big = {'h', field, sizeof(field)};

	memset(field + 4, 'v', sizeof(field) - 5);
	struct run r = {.script = {.on = 'E', .with = {big, big, big, PACKET('c', "")}},
	                .settings = "scanner milter 127.0.0.1:1 fail open"};
	run(&r);
	assert_int_equal(r.action, SCAN_NOTHING);
	assert_int_equal(r.changed, 0);
	assert_true(str_contains(buf_str(&r.findings), STR("failed")));
	done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_told_everything),
		cmocka_unit_test(is_told_names_and_parameters),
		cmocka_unit_test(is_not_told_what_it_does_not_want),
		cmocka_unit_test(verdicts),
		cmocka_unit_test(the_header_is_changed),
		cmocka_unit_test(body_and_envelope_are_changed),
		cmocka_unit_test(quarantine),
		cmocka_unit_test(one_that_dies_changes_nothing),
		cmocka_unit_test(malformed_changes),
		cmocka_unit_test(very_many_changes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
