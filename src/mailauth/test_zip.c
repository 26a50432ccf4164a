/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include "base/encode.h"
#include "mailauth/zip.h"

/* Made by python's zipfile: report.xml with "<feedback>hello</feedback>" */
#define STORED_ZIP                                                                                                     \
	"UEsDBBQAAAAAAAAAIVoHcqsfGgAAABoAAAAKAAAAcmVwb3J0LnhtbDxmZWVkYmFjaz5oZWxsbzwvZmVlZGJhY2s+UEsBAhQDFAAAAAAAAAAh" \
	"Wgdyqx8aAAAAGgAAAAoAAAAAAAAAAAAAAIABAAAAAHJlcG9ydC54bWxQSwUGAAAAAAEAAQA4AAAAQgAAAAAA"
#define DEFLATED_ZIP                                                                                                   \
	"UEsDBBQAAAAIAAAAIVoHcqsfFAAAABoAAAAKAAAAcmVwb3J0LnhtbLNJS01NSUpMzrbLSM3JybfRh/MBUEsBAhQDFAAAAAgAAAAhWgdyqx8U" \
	"AAAAGgAAAAoAAAAAAAAAAAAAAIABAAAAAHJlcG9ydC54bWxQSwUGAAAAAAEAAQA4AAAAPAAAAAAA"
/* Written to a pipe: the sizes stand behind the file. */
#define STREAMED_ZIP                                                                                                   \
	"UEsDBBQACAAIAAAAIVoAAAAAAAAAAAAAAAAKAAAAcmVwb3J0LnhtbLNJS01NSUpMzrbLSM3JybfRh/MBUEsHCAdyqx8UAAAAGgAAAFBLAQIU" \
	"AxQACAAIAAAAIVoHcqsfFAAAABoAAAAKAAAAAAAAAAAAAACAAQAAAAByZXBvcnQueG1sUEsFBgAAAAABAAEAOAAAAEwAAAAAAA=="
/* 60000 blanks. */
#define BOMB_ZIP                                                                                                       \
	"UEsDBBQAAAAIAAAAIVr8wZ3JTAAAAGDqAAAKAAAAcmVwb3J0LnhtbO3BMQEAAADCoCrrn9IaHkABAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAfBlQSwECFAMUAAAACAAAACFa/MGdyUwAAABg6gAACgAAAAAAAAAAAAAAgAEAAAAA" \
	"cmVwb3J0LnhtbFBLBQYAAAAAAQABADgAAAB0AAAAAAA="

static void decode(struct buf *out, const char *base64)
{
	assert_int_equal(base64_decode(out, str_from(base64)), OK);
}

static void unpacks(const char *base64)
{
	BUF(packed, 4096);
	BUF(out, 4096);

	decode(&packed, base64);
	assert_true(zip_is(buf_str(&packed)));
	assert_int_equal(zip_unpack(buf_str(&packed), &out), OK);
	assert_str(buf_str(&out), "<feedback>hello</feedback>");
}

static void archives(void **state UNUSED)
{
	unpacks(STORED_ZIP);
	unpacks(DEFLATED_ZIP);
	unpacks(STREAMED_ZIP);
}

static void bomb(void **state UNUSED)
{
	BUF(packed, 4096);
	BUF(out, 20000);

	decode(&packed, BOMB_ZIP);
	assert_int_equal(zip_unpack(buf_str(&packed), &out), E_LIMIT);
	assert_true(out.n <= 20000);
}

/* Whatever is missing at the end of one whose sizes are known, it is no archive. */
static void cut_off(void **state UNUSED)
{
	BUF(packed, 4096);

	decode(&packed, STORED_ZIP);
	for (size_t n = 0; n < 66; n++) {
		BUF(out, 4096);
		assert_int_equal(zip_unpack(str_take(buf_str(&packed), n), &out), E_SYNTAX);
	}
}

static void refused(void **state UNUSED)
{
	BUF(packed, 4096);
	BUF(out, 4096);

	assert_false(zip_is(STR("PK")));
	assert_int_equal(zip_unpack(STR("<feedback>"), &out), E_SYNTAX);
	decode(&packed, STORED_ZIP);
	packed.p[6] |= 1; /* encrypted */
	assert_int_equal(zip_unpack(buf_str(&packed), &out), E_SYNTAX);
	packed.p[6] = 0;
	packed.p[8] = 14; /* LZMA */
	assert_int_equal(zip_unpack(buf_str(&packed), &out), E_SYNTAX);
	packed.p[8] = 0;
	packed.p[21] = 0x7f; /* more than there is */
	assert_int_equal(zip_unpack(buf_str(&packed), &out), E_SYNTAX);
	assert_int_equal(out.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(archives), cmocka_unit_test(bomb),
	                                   cmocka_unit_test(cut_off), cmocka_unit_test(refused)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
