/* SPDX-License-Identifier: ISC */
#include "base/test.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "link/messages.h"

static const struct record *const all_records[] = {
#define ITEM(r)          &record_##r,
#define OF_CALL(c, role) &record_##c##_request, &record_##c##_reply,
	RECORDS(ITEM) CALLS(OF_CALL)};

static uint64_t seed = 1;

static uint64_t any_number(void)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return seed >> (seed >> 58);
}

static void *at(void *data, size_t offset)
{
	return (char *)data + offset;
}

static str any_str(struct arena *a)
{
	char bytes[200];
	size_t n = any_number() % sizeof(bytes);

	for (size_t i = 0; i < n; i++)
		bytes[i] = (char)any_number();
	return arena_str(a, str_make(bytes, n));
}

/* Any value of a record; descriptors are numbers that nobody opens. */
static void fill(const struct record *r, void *data, struct arena *a)
{
	const struct field *f = r->fields();

	record_init(r, data);
	for (size_t i = 0; i < r->n; i++) {
		switch (f[i].kind) {
		case FIELD_NUM:
			*(uint64_t *)at(data, f[i].at) = any_number();
			break;
		case FIELD_STR:
			*(str *)at(data, f[i].at) = any_str(a);
			break;
		case FIELD_LIST: {
			size_t n = any_number() % 5;
			char *items = arena_array(a, n, f[i].item->size);
			*(void **)at(data, f[i].at) = items;
			*(size_t *)at(data, f[i].count_at) = n;
			for (size_t k = 0; k < n; k++)
				fill(f[i].item, at(items, k * f[i].item->size), a);
			break;
		}
		case FIELD_BODY:
			*(struct body *)at(data, f[i].at) = BODY_OF(any_str(a));
			break;
		case FIELD_FD:
			*(int *)at(data, f[i].at) = (int)(any_number() % 3) + 1000000;
			break;
		}
	}
}

static void pack(const struct record *r, void *data, struct buf *out, struct record_fds *fds)
{
	fds->n = 0;
	fds->taken = 0;
	buf_reset(out);
	record_pack(r, data, out, fds);
	assert_false(out->full);
}

static void *space(const struct record *r, struct arena *a)
{
	return arena_alloc(a, r->size);
}

/* Two records are equal when their packings are. */
static void test_round_trip_of_every_record(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(all_records); i++) {
		const struct record *r = all_records[i];
		ARENA(a, 1 << 20);
		BUF(first, 1 << 20);
		BUF(second, 1 << 20);
		struct record_fds fds;
		void *data = space(r, &a), *copy = space(r, &a);

		fill(r, data, &a);
		pack(r, data, &first, &fds);
		struct cursor in = cursor_of(buf_str(&first));
		assert_int_equal(record_unpack(r, &in, copy, &a, &fds), OK);
		assert_int_equal(fds.taken, fds.n);
		pack(r, copy, &second, &fds);
		assert_true(str_equal(buf_str(&first), buf_str(&second)));
	}
}

static void test_truncated_and_lengthened(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(all_records); i++) {
		const struct record *r = all_records[i];
		ARENA(a, 1 << 20);
		BUF(whole, 1 << 20);
		struct record_fds fds;
		void *data = space(r, &a);

		fill(r, data, &a);
		pack(r, data, &whole, &fds);
		buf_putc(&whole, 0);
		for (size_t n = 0; n <= whole.n; n++) {
			ARENA(items, 1 << 20);
			struct record_fds none = {0};
			struct cursor in = cursor_of(str_take(buf_str(&whole), n));
			err e = record_unpack(r, &in, data, &items, &none);
			assert_int_equal(e, n == whole.n - 1 && fds.n == 0 ? OK : E_SYNTAX);
		}
	}
}

static void test_values(void **state UNUSED)
{
	struct rcpt_query rcpts[2] = {{STR("a@example.org")}, {STR("b@example.org")}};
	struct rcpt_check_request got, q = {.sender = STR("s@example.net"), .rcpts = rcpts, .rcpts_n = 2};
	struct record_fds fds = {0};
	ARENA(a, 4096);
	BUF(out, 4096);

	q.size = UINT64_MAX;
	pack(&record_rcpt_check_request, &q, &out, &fds);
	struct cursor in = cursor_of(buf_str(&out));
	assert_int_equal(record_unpack(&record_rcpt_check_request, &in, &got, &a, &fds), OK);
	assert_str(got.sender, "s@example.net");
	assert_true(got.size == UINT64_MAX);
	assert_int_equal(got.rcpts_n, 2);
	assert_str(got.rcpts[1].address, "b@example.org");
}

static err unpack_bytes(const struct record *r, str bytes, void *data, struct arena *a)
{
	struct record_fds fds = {0};
	struct cursor in = cursor_of(bytes);

	return record_unpack(r, &in, data, a, &fds);
}

static void test_lies_about_sizes(void **state UNUSED)
{
	struct row row;
	struct word word;
	ARENA(a, 4096);

	/* 2^62 cells; a string of 2^64 - 1 bytes; a number of more than 64 bits */
	assert_int_equal(unpack_bytes(&record_row, STR("\x80\x80\x80\x80\x80\x80\x80\x80\x40"), &row, &a), E_SYNTAX);
	assert_int_equal(unpack_bytes(&record_word, STR("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x"), &word, &a),
	                 E_SYNTAX);
	assert_int_equal(unpack_bytes(&record_word, STR("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7fx"), &word, &a),
	                 E_SYNTAX);
	assert_int_equal(a.used, 0);
}

static void test_arena_full_is_not_malformed(void **state UNUSED)
{
	struct word words[100];
	struct admin_request q = {.words = words, .words_n = 100};
	struct record_fds fds = {0};
	ARENA(a, 1000);
	BUF(out, 4096);

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		words[i].text = STR("x");
	pack(&record_admin_request, &q, &out, &fds);
	struct cursor in = cursor_of(buf_str(&out));
	assert_int_equal(record_unpack(&record_admin_request, &in, &q, &a, &fds), E_LIMIT);
}

static int memory_file(str content, int seals)
{
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, content.p, content.n), content.n);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

static err unpack_body_file(int fd, struct inspect_request *got, struct arena *a)
{
	struct inspect_request q = {.body = {STR_NONE, fd}};
	struct record_fds fds = {0};
	BUF(out, 4096);

	pack(&record_inspect_request, &q, &out, &fds);
	assert_int_equal(fds.n, 1);
	struct cursor in = cursor_of(buf_str(&out));
	return record_unpack(&record_inspect_request, &in, got, a, &fds);
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void test_body_in_a_memory_file(void **state UNUSED)
{
	const int all = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK;
	struct inspect_request got;
	ARENA(a, 4096);

	int fd = memory_file(STR("a body\r\n"), all);
	assert_int_equal(unpack_body_file(fd, &got, &a), OK);
	assert_str(got.body.bytes, "a body\r\n");
	body_release(&got.body);
	assert_false(is_open(fd));
	assert_int_equal(got.body.fd, -1);

	fd = memory_file(STR_NONE, all);
	assert_int_equal(unpack_body_file(fd, &got, &a), OK);
	assert_int_equal(got.body.bytes.n, 0);
	record_release(&record_inspect_request, &got);
	assert_false(is_open(fd));
}

static void test_bodies_are_made(void **state UNUSED)
{
	static char large[BODY_INLINE_MAX + 1];
	ARENA(a, 1 << 20);
	struct body b;

	assert_int_equal(body_make("message", STR("small"), &a, &b), OK);
	assert_int_equal(b.fd, -1);
	assert_true(str_equal(b.bytes, STR("small")));
	body_release(&b);
	memset(large, 'x', sizeof(large));
	assert_int_equal(body_make("message", str_make(large, sizeof(large)), &a, &b), OK);
	assert_true(b.fd >= 0);
	assert_true(str_equal(b.bytes, str_make(large, sizeof(large))));
	body_release(&b);
	assert_int_equal(b.fd, -1);
}

static void test_unsealed_body_is_refused(void **state UNUSED)
{
	static const int seals[] = {0, F_SEAL_WRITE | F_SEAL_GROW, F_SEAL_WRITE | F_SEAL_SHRINK,
	                            F_SEAL_GROW | F_SEAL_SHRINK};
	struct inspect_request got;
	ARENA(a, 4096);

	for (size_t i = 0; i < ARRAY_LEN(seals); i++) {
		int fd = memory_file(STR("may change"), seals[i]);
		assert_int_equal(unpack_body_file(fd, &got, &a), E_SYNTAX);
		assert_false(is_open(fd));
	}
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(unpack_body_file(ends[0], &got, &a), E_SYNTAX);
	assert_false(is_open(ends[0]));
	close(ends[1]);
}

static void test_too_many_descriptors(void **state UNUSED)
{
	struct listen_request q = {.socket = 5};
	struct record_fds fds = {.n = RECORD_FDS_MAX};
	BUF(out, 4096);

	record_pack(&record_listen_request, &q, &out, &fds);
	assert_true(out.full);
}

static void test_print(void **state UNUSED)
{
	struct cell cells[1] = {{.name = STR("n"), .number = 7, .is_number = 1}};
	struct row row = {cells, 1};
	struct auth_request login = {.mechanism = STR("al\r\nice"), .response = STR("geheim")};
	char longer[100];
	struct word word = {str_make(longer, sizeof(longer))};
	BUF(out, 4096);

	record_print(&record_row, &row, &out);
	assert_str(buf_str(&out), "cells=[{name=\"n\" text=\"\" number=7 is_number=1}]");
	buf_reset(&out);
	record_print(&record_auth_request, &login, &out);
	assert_true(str_contains(buf_str(&out), STR("mechanism=\"al\\x0d\\x0aice\" step=0 response=\"***\"")));
	buf_reset(&out);
	memset(longer, 'x', sizeof(longer));
	record_print(&record_word, &word, &out);
	assert_int_equal(out.n, strlen("text=\"...\"") + 80);
}

/* The limits that the code relies on. */
static void test_tables(void **state UNUSED)
{
	assert_true(CALL_COUNT <= 40);
	for (size_t i = 0; i < ARRAY_LEN(all_records); i++) {
		const struct field *f = all_records[i]->fields();
		size_t descriptors = 0;
		for (size_t k = 0; k < all_records[i]->n; k++) {
			descriptors += f[k].kind == FIELD_FD || f[k].kind == FIELD_BODY;
			assert_true(f[k].kind != FIELD_LIST || f[k].item->n > 0);
		}
		assert_true(descriptors <= RECORD_FDS_MAX);
		assert_true(descriptors == 0 || strstr(all_records[i]->name, "_re") != NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip_of_every_record),
		cmocka_unit_test(test_truncated_and_lengthened),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_lies_about_sizes),
		cmocka_unit_test(test_arena_full_is_not_malformed),
		cmocka_unit_test(test_body_in_a_memory_file),
		cmocka_unit_test(test_bodies_are_made),
		cmocka_unit_test(test_unsealed_body_is_refused),
		cmocka_unit_test(test_too_many_descriptors),
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_tables),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
