/* SPDX-License-Identifier: ISC */
/* A link whose peer sends anything at all: with every call served, and with calls of ours in the air. */
#include "base/log.h"
#include "link/link.h"

static str input;

/* Whatever the call: an empty reply. */
static err serve(void *ctx, struct link *from, const void *request, void *reply, struct arena *arena)
{
	(void)ctx, (void)from, (void)request, (void)reply, (void)arena;
	return OK;
}

static void call(void *arg)
{
	struct mailbox_open_request q = {0};
	struct mailbox_open_reply r;
	ARENA(a, 1 << 20);

	(void)!call_mailbox_open(arg, &q, &r, &a, rt_after(NSEC_PER_SEC));
}

static void fuzz_main(void *arg)
{
	struct link_service service = {0};
	struct stream *ours, *theirs;
	struct link *l = link_new("fuzz", &service);

	(void)arg;
	for (size_t i = 0; i < CALL_COUNT; i++)
		service.handlers[i] = serve;
	if (l != NULL && stream_pair(&ours, &theirs, 1 << 20, true) && link_attach_stream(l, ours) == OK) {
		for (int i = 0; i < 3; i++)
			rt_spawn(call, l, "call");
		rt_yield(); /* the calls' ids are taken */
		stream_put(theirs, input);
		(void)!stream_flush(theirs);
		(void)!rt_sleep_until(rt_after(2 * NSEC_PER_SEC));
		stream_close(theirs);
	}
	link_free(l);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	log_to(-1);
	input = str_make((const char *)bytes, n);
	(void)!rt_run_simulated(1, fuzz_main, NULL);
	return 0;
}
