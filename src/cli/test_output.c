/* SPDX-License-Identifier: ISC */
#include "base/test.h"
#include "cli/output.h"

#include <stdlib.h>

#define VIEW(z)                    \
	{                          \
		(z), sizeof(z) - 1 \
	}
#define TEXT(n, t)                               \
	{                                        \
		.name = VIEW(n), .text = VIEW(t) \
	}
#define NUMBER(n, v)                                           \
	{                                                      \
		.name = VIEW(n), .number = (v), .is_number = 1 \
	}
#define ROW(cells) ((struct row){cells, ARRAY_LEN(cells)})

static struct cell first[] = {TEXT("address", "alice@example.org"), NUMBER("octets", 7), TEXT("state", "active")};
static struct cell second[] = {TEXT("address", "b\xc3\xb6@example.org"), NUMBER("octets", 1234567), TEXT("state", "")};
static struct cell hostile[] = {TEXT("subject", "\x1b[2J\"\\\xff\xe2\x80\xae\nx")};

/* What a function printed. */
struct printed {
	char *text;
	size_t n;
};

static struct output begin(struct printed *p, bool json)
{
	struct output o = {.file = open_memstream(&p->text, &p->n), .json = json};

	assert_non_null(o.file);
	return o;
}

static void expect(struct output *o, struct printed *p, const char *text)
{
	assert_int_equal(fclose(o->file), 0);
	assert_string_equal(p->text, text);
	free(p->text);
}

static void a_table_is_aligned(void **state UNUSED)
{
	struct printed p;
	struct output o = begin(&p, false);
	struct row rows[] = {ROW(first), ROW(second)};

	output_rows(&o, rows, 2);
	output_rows(&o, rows, 1); /* the next page */
	output_rows(&o, NULL, 0);
	expect(&o, &p,
	       "address             octets  state\n"
	       "alice@example.org        7  active\n"
	       "b\xc3\xb6@example.org     1234567\n"
	       "alice@example.org        7  active\n");
}

static void json_is_an_object_a_line(void **state UNUSED)
{
	struct printed p;
	struct output o = begin(&p, true);
	struct row rows[] = {ROW(first), ROW(second)};

	output_rows(&o, rows, 2);
	output_fields(&o, &rows[0]);
	expect(&o, &p,
	       "{\"address\":\"alice@example.org\",\"octets\":7,\"state\":\"active\"}\n"
	       "{\"address\":\"b\xc3\xb6@example.org\",\"octets\":1234567,\"state\":\"\"}\n"
	       "{\"address\":\"alice@example.org\",\"octets\":7,\"state\":\"active\"}\n");
}

static void fields_are_lines(void **state UNUSED)
{
	struct printed p;
	struct output o = begin(&p, false);

	output_fields(&o, &ROW(first));
	expect(&o, &p, "address  alice@example.org\noctets   7\nstate    active\n");
}

static void hostile_text_is_escaped(void **state UNUSED)
{
	struct printed p;
	struct output o = begin(&p, false);

	output_fields(&o, &ROW(hostile));
	expect(&o, &p, "subject  \\x1b[2J\"\\x5c\\xff\\xe2\\x80\\xae\\x0ax\n");
	o = begin(&p, true);
	output_fields(&o, &ROW(hostile));
	expect(&o, &p, "{\"subject\":\"\\u001b[2J\\\"\\\\\\ufffd\\u202e\\nx\"}\n");
}

static void cells_have_names(void **state UNUSED)
{
	struct row row = ROW(first);

	assert_ptr_equal(row_cell(&row, "octets"), &first[1]);
	assert_null(row_cell(&row, "none"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table_is_aligned), cmocka_unit_test(json_is_an_object_a_line),
		cmocka_unit_test(fields_are_lines),   cmocka_unit_test(hostile_text_is_escaped),
		cmocka_unit_test(cells_have_names),
	};

	return cmocka_run_group_tests_name("output", tests, NULL, NULL);
}
