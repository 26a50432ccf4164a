/* SPDX-License-Identifier: ISC */
#include "mail/mime.h"

#include "base/test.h"

enum { MEMORY = 4 << 20 };

/* "depth type/subtype [body]" of each part, lines. */
static void show(str message, struct buf *out, struct mime *mime, struct arena *a)
{
	assert_int_equal(mime_read(message, a, mime), OK);
	for (size_t i = 0; i < mime->n; i++) {
		const struct mime_part *p = &mime->parts[i];
		buf_printf(out, "%u " STR_FMT "/" STR_FMT, p->depth, STR_ARG(p->type), STR_ARG(p->subtype));
		if (p->kind == MIME_LEAF)
			buf_printf(out, " [" STR_FMT "]", STR_ARG(p->body));
		buf_puts(out, "\n");
	}
}

static void trees(void **state UNUSED)
{
	static const struct {
		const char *message, *want;
	} cases[] = {
		{"Subject: x\r\n\r\nbody\r\n", "0 text/plain [body\r\n]\n"},
		{"", "0 text/plain []\n"},
		{"Content-Type: nonsense\r\n\r\nb", "0 text/plain [b]\n"},
		{"Content-Type: multipart/mixed; boundary=b\r\n\r\npre\r\n--b\r\n\r\none\r\n--b\r\nContent-Type: "
	         "text/html\r\n\r\ntwo\r\n--b--\r\npost\r\n",
	         "0 multipart/mixed\n1 text/plain [one]\n1 text/html [two]\n"},
		{"Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b  \n\ntwo\n",
	         "0 multipart/mixed\n1 text/plain [one]\n1 text/plain [two\n]\n"},
		/* the inner one has no end */
		{"Content-Type: multipart/mixed; boundary=out\r\n\r\n--out\r\nContent-Type: multipart/alternative; "
	         "boundary=in\r\n\r\n--in\r\n\r\na\r\n--out\r\n\r\nb\r\n--out--\r\n",
	         "0 multipart/mixed\n1 multipart/alternative\n2 text/plain [a]\n1 text/plain [b]\n"},
		/* one boundary is the beginning of the other */
		{"Content-Type: multipart/mixed; boundary=ab\r\n\r\n--ab\r\nContent-Type: multipart/mixed; "
	         "boundary=a\r\n\r\n--a\r\n\r\n1\r\n--ab\r\n\r\n2\r\n--ab--",
	         "0 multipart/mixed\n1 multipart/mixed\n2 text/plain [1]\n1 text/plain [2]\n"},
		/* both are equal: the innermost counts */
		{"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: multipart/mixed; "
	         "boundary=a\r\n\r\n--a\r\n\r\n1\r\n--a--\r\n--a\r\n\r\n2\r\n--a--",
	         "0 multipart/mixed\n1 multipart/mixed\n2 text/plain [1]\n1 text/plain [2]\n"},
		{"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: "
	         "in\r\nContent-Type: text/html\r\n\r\nx\r\n--b\r\n\r\ny\r\n--b--\r\n",
	         "0 multipart/mixed\n1 message/rfc822\n2 text/html [x]\n1 text/plain [y]\n"},
		{"Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nSubject: in\r\n\r\nx\r\n--b--\r\n",
	         "0 multipart/digest\n1 message/rfc822\n2 text/plain [x]\n"},
		/* a header that the next part ends; the boundary looks like a field */
		{"Content-Type: multipart/mixed; boundary=\"b:c\"\r\n\r\n--b:c\r\nContent-Type: "
	         "text/html\r\n--b:c\r\n\r\ny\r\n--b:c--\r\n",
	         "0 multipart/mixed\n1 text/html []\n1 text/plain [y]\n"},
		{"Content-Type: multipart/mixed\r\n\r\n--b\r\n", "0 multipart/mixed [--b\r\n]\n"},
		{"Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: base64\r\n\r\n--b\r\n",
	         "0 multipart/mixed [--b\r\n]\n"},
		{"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n\r\n--b--",
	         "0 multipart/mixed\n1 text/plain []\n"},
		{"Content-Type: multipart/mixed; boundary=b\r\n\r\nno parts", "0 multipart/mixed\n"},
		{"Content-Type: multipart/mixed; boundary=b\r\n\r\n--bx\r\n --b\r\n", "0 multipart/mixed\n"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		ARENA(a, MEMORY);
		BUF(out, 4096);
		struct mime mime;

		show(str_from(cases[i].message), &out, &mime, &a);
		assert_str(buf_str(&out), cases[i].want);
	}
}

static void bodies_of_multiparts(void **state UNUSED)
{
	ARENA(a, MEMORY);
	str message = STR("Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\nContent-Type: multipart/mixed; "
	                  "boundary=i\r\n\r\n--i\r\n\r\nx\r\n--i--\r\n\r\n--o--\r\nend\r\n");
	struct mime mime;

	assert_int_equal(mime_read(message, &a, &mime), OK);
	assert_int_equal(mime.n, 3);
	assert_str(mime.parts[1].body, "--i\r\n\r\nx\r\n--i--\r\n");
	assert_true(str_ends(mime.parts[0].body, STR("end\r\n")));
	assert_int_equal(mime.parts[2].parent, 1);
}

static void limits(void **state UNUSED)
{
	ARENA(a, MEMORY);
	BUF(deep, 8 << 20);
	BUF(many, 8 << 20);
	BUF(messages, 8 << 20);
	struct mime mime;

	for (int i = 0; i < 10000; i++)
		buf_printf(&deep, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i);
	assert_int_equal(mime_read(buf_str(&deep), &a, &mime), OK);
	assert_true(mime.too_deep);
	assert_int_equal(mime.n, MIME_DEPTH_MAX);

	buf_puts(&many, "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
	for (int i = 0; i < 1000000; i++)
		buf_puts(&many, "--b\r\n\n");
	assert_int_equal(mime_read(buf_str(&many), &a, &mime), OK);
	assert_true(mime.too_many);
	assert_int_equal(mime.n, MIME_PARTS_MAX);

	for (int i = 0; i < 10000; i++)
		buf_puts(&messages, "Content-Type: message/rfc822\r\n\r\n");
	assert_int_equal(mime_read(buf_str(&messages), &a, &mime), OK);
	assert_true(mime.too_deep);
}

static void out_of_memory(void **state UNUSED)
{
	ARENA(a, 100);
	struct mime mime;

	assert_int_equal(mime_read(STR("Subject: x\r\n\r\n"), &a, &mime), E_LIMIT);
}

static void texts(void **state UNUSED)
{
	static const struct {
		const char *message, *want;
	} cases[] = {
		{"Content-Type: text/plain; charset=iso-8859-1\r\n\r\ncaf\xe9", "caf\xc3\xa9"},
		{"Content-Type: text/plain; charset=\"utf-8\"\r\nContent-Transfer-Encoding: "
	         "quoted-printable\r\n\r\ncaf=C3=A9",
	         "caf\xc3\xa9"},
		{"Content-Transfer-Encoding: BASE64\r\n\r\nYWJj", "abc"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		ARENA(a, MEMORY);
		BUF(scratch, 100);
		BUF(out, 100);
		struct mime mime;

		assert_int_equal(mime_read(str_from(cases[i].message), &a, &mime), OK);
		assert_true(mime_text(&mime.parts[0], &a, &scratch, &out));
		assert_str(buf_str(&out), cases[i].want);
	}
}

static void file_names(void **state UNUSED)
{
	static const struct {
		const char *header, *want;
		bool attached;
	} cases[] = {
		{"Content-Disposition: attachment; filename=\"a b.txt\"", "a b.txt", true},
		{"Content-Disposition: inline; filename=x.exe;size=3", "x.exe", false},
		{"Content-Type: application/pdf; name=bill.pdf", "bill.pdf", false},
		{"Content-Disposition: attachment; filename*=iso-8859-1'de'caf%E9.txt", "caf\xc3\xa9.txt", true},
		{"Content-Disposition: attachment; filename*0=\"long\"; filename*1=\"er.exe\"", "longer.exe", true},
		{"Content-Disposition: attachment; filename*1=b; filename*0*=utf-8''%41; filename*2*=%43", "AbC", true},
		{"Content-Disposition: attachment; filename=\"=?utf-8?Q?caf=C3=A9?=.txt\"", "caf\xc3\xa9.txt", true},
		{"Content-Disposition: attachment; filename=old.txt; filename*=utf-8''new.txt", "new.txt", true},
		{"Content-Disposition: attachment; filename*99999=a; filename*x=b", "", true},
		{"Content-Disposition: attachment; filename*0*=utf-8''%4", "%4", true},
		{"Content-Disposition: attachment; filename*0*=utf-8''100%zz", "100%zz", true},
		{"Subject: x", "", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		ARENA(a, MEMORY);
		struct mime mime;

		assert_int_equal(mime_read(str_from(cases[i].header), &a, &mime), OK);
		assert_str(mime_file_name(&mime.parts[0], &a), cases[i].want);
		assert_int_equal(mime_is_attachment(&mime.parts[0]), cases[i].attached);
	}
}

static void endless_file_name(void **state UNUSED)
{
	ARENA(a, MEMORY);
	BUF(m, 8 << 20);
	struct mime mime;

	buf_puts(&m, "Content-Disposition: attachment");
	for (int i = 0; i < 99999; i++)
		buf_printf(&m, "; filename*%d*=%%41%%42", i);
	assert_int_equal(mime_read(buf_str(&m), &a, &mime), OK);
	assert_true(mime_file_name(&mime.parts[0], &a).n <= 255);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trees),
		cmocka_unit_test(bodies_of_multiparts),
		cmocka_unit_test(limits),
		cmocka_unit_test(out_of_memory),
		cmocka_unit_test(texts),
		cmocka_unit_test(file_names),
		cmocka_unit_test(endless_file_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
