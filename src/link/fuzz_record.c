/* SPDX-License-Identifier: ISC */
/* record_unpack of every record: the first byte chooses which. What was understood is packed again and understood again. */
#include <stdlib.h>

#include "link/messages.h"

static const struct record *const all_records[] = {
#define ITEM(r)          &record_##r,
#define OF_CALL(c, role) &record_##c##_request, &record_##c##_reply,
	RECORDS(ITEM) CALLS(OF_CALL)};

static void again(const struct record *r, void *data, struct arena *a)
{
	struct record_fds fds = {0};
	BUF(out, 16 << 20);
	BUF(text, 64 << 10);

	record_pack(r, data, &out, &fds);
	struct cursor in = cursor_of(buf_str(&out));
	if (record_unpack(r, &in, data, a, &fds) != OK && !a->full)
		abort();
	record_print(r, data, &text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	ARENA(a, 1 << 20);
	struct record_fds none = {0};

	if (n == 0)
		return 0;
	const struct record *r = all_records[bytes[0] % ARRAY_LEN(all_records)];
	void *data = arena_alloc(&a, r->size);
	struct cursor in = cursor_of(str_make((const char *)bytes + 1, n - 1));
	if (record_unpack(r, &in, data, &a, &none) == OK)
		again(r, data, &a);
	return 0;
}
