/* SPDX-License-Identifier: ISC */
/* What a milter says, whatever it is. */
#include "scan/fake.h"
#include "scan/milter_packet.h"

static void serve(struct fake *f, struct stream *s)
{
	struct buf memory = BUF_INIT(MILTER_PACKET_MAX);
	struct milter_packet p;

	if (milter_get(s, &memory, &p, rt_after(FAKE_TIME)) == OK) {
		char numbers[12] = {0};
		numbers[3] = MILTER_VERSION;
		milter_put(s, MILTER_OPTIONS, &(str){numbers, sizeof(numbers)}, 1);
		fake_say(f, s);
	}
	buf_free(&memory);
}

static void run(void *arg)
{
	struct fake *f = arg;
	static struct config *c;
	struct origin o;
	struct rcpt rcpts[] = {{.address = STR("b@example.org")}};
	struct inspect_request q = fake_request(&o, rcpts, 1);
	struct scan_result result;
	BUF(findings, FINDINGS_MAX);
	ARENA(a, 8 << 20);

	if (c == NULL)
		c = fake_config("log error\nscanner milter 127.0.0.1:1 timeout 1s fail closed");
	struct scan_input in = {
		.config = c, .message = &q, .deadline = rt_after(NSEC_PER_SEC), .dial = fake_dial, .ctx = f};
	if (scan_message(&in, &findings, &a, &result) != OK)
		abort();
	body_release(&result.new_body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fake f = {.serve = serve, .says = (const char *)data, .says_n = size};

	log_setup("fuzz", LOG_LEVEL_ERROR, false);
	if (rt_run(run, &f) != OK)
		abort();
	return 0;
}
