/* SPDX-License-Identifier: ISC */
/* A record of a segment and what its envelope says, whatever the disk returns. */
#include "base/cursor.h"
#include "base/encode.h"
#include "store/envelope.h"
#include "store/segment.h"

#define MARK 0x6b72616d6b72616dull

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_envelope(str packed, enum segment_kind kind)
{
	struct segment_record r = {.kind = kind, .envelope = packed};
	struct envelope e;
	ARENA(a, 1 << 20);

	if (envelope_unpack(&r, &e, &a) == OK)
		for (size_t i = 0; i < e.rcpts_n && i < 4; i++)
			(void)envelope_prefix(&e, e.rcpts[i].mailbox, &a);
}

static void read_envelopes(str packed)
{
	struct tombstones t;
	struct moves m;
	ARENA(a, 1 << 20);

	read_envelope(packed, SEGMENT_MESSAGE);
	read_envelope(packed, SEGMENT_MESSAGE_2);
	read_envelope(packed, SEGMENT_MESSAGE_1);
	(void)!tombstones_unpack(packed, &t, &a);
	(void)!moves_unpack(packed, &m, &a);
}

/* The input as a record would have to be found with a good checksum: as an envelope in a record of our own. */
static void round_trip(str envelope)
{
	BUF(out, 1 << 20);
	struct segment_record r;
	str body = STR("body");

	uint64_t length = segment_record_put(&out, MARK, SEGMENT_MESSAGE, envelope, &body, 1);
	buf_put(&out, body);
	if (out.full)
		return;
	if (segment_record_parse(buf_str(&out), MARK, &r) != OK || r.length != length ||
	    !str_equal(r.envelope, envelope))
		__builtin_trap();
	if (segment_record_parse(str_take(buf_str(&out), out.n - 1), MARK, &r) != E_END)
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str input = str_make((const char *)data, size);
	struct segment_record r;

	if (segment_record_parse(input, MARK, &r) == OK)
		read_envelopes(r.envelope);
	read_envelopes(input);
	round_trip(input);
	return 0;
}
