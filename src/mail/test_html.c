/* SPDX-License-Identifier: ISC */
#include "mail/html.h"

#include <stdlib.h>

#include "base/test.h"

static void texts(void **state UNUSED)
{
	static const struct {
		const char *source, *want;
		size_t hidden;
	} cases[] = {
		{"plain", "plain", 0},
		{"<p>one</p><p>two", "one\ntwo", 0},
		{"Via<!-- no -->gr<b>a</b>", "Viagra", 0},
		{"a<br>b<BR/>c", "a\nb\nc", 0},
		{"a &amp; b &lt;c&gt; &eacute;&#233;&#xE9; &nbsp;&unknown; &",
	         "a & b <c> \xc3\xa9\xc3\xa9\xc3\xa9 \xc2\xa0&unknown; &", 0},
		{"&#xd800;&#1114112;&#99999999999;", "\xef\xbf\xbd\xef\xbf\xbd&#99999999999;", 0},
		{"a<script>if (a < b) x();</script>b<style>p{}</STYLE>c", "abc", 0},
		{"a<script>never ends", "a", 0},
		{"a<!-- never ends", "a", 0},
		{"a<!-->b", "ab", 0},
		{"1 < 2 and <3", "1 < 2 and <3", 0},
		{"a<span title='x > y'>b</span>c", "abc", 0},
		{"a<b title=\"never ends>b", "a", 0},
		{"a<div style=\"Display : None\">12345</div>b", "a\nb", 5},
		{"a<div style='display:none'><div>123</div>45</div>b", "a\nb", 5},
		{"a<font color=\"#FFFFFF\">123</font>b", "ab", 3},
		{"<body bgcolor=black>a<font color=white>b</font>", "ab", 0},
		{"a<span style='font-size:0px'>1</span>b<span hidden>2</span>", "ab", 2},
		{"", "", 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		ARENA(a, 1 << 20);
		BUF(text, 1000);
		struct html h;

		assert_int_equal(html_read(str_from(cases[i].source), &a, &text, &h), OK);
		assert_str(buf_str(&text), cases[i].want);
		assert_int_equal(h.hidden, cases[i].hidden);
	}
}

static void links(void **state UNUSED)
{
	ARENA(a, 1 << 20);
	BUF(text, 1000);
	struct html h;

	assert_int_equal(
		html_read(STR("see <A HREF=\"http://a.example/?x=1&amp;y\">my <b>site</b></A>, <img "
	                      "src=http://b.example/i.png>"
	                      "<a name=x>no</a><a href='ht\ntp://c.example'>open<form action=http://d.example>"),
	                  &a, &text, &h),
		OK);
	assert_int_equal(h.links_n, 4);
	assert_str(h.links[0].url, "http://a.example/?x=1&y");
	assert_str(str_take(str_drop(buf_str(&text), h.links[0].from), h.links[0].length), "my site");
	assert_int_equal(h.links[1].kind, HTML_IMAGE);
	assert_str(h.links[2].url, "http://c.example");
	assert_str(str_take(str_drop(buf_str(&text), h.links[2].from), h.links[2].length), "open");
	assert_int_equal(h.links[3].kind, HTML_FORM);
	assert_int_equal(h.images, 1);
	assert_true(h.forms);
}

/* Bad input that grew time or memory elsewhere. */
static void bounded(void **state UNUSED)
{
	static const char *const pieces[] = {"<div style='display:none'>",
	                                     "<a href=http://x.example/",
	                                     "<!--",
	                                     "<script>",
	                                     "&#x",
	                                     "</",
	                                     "<a href=\"x\">"};

	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		ARENA(a, 1 << 20);
		BUF(in, 5 << 20);
		BUF(text, 5 << 20);
		struct html h;

		while (!in.full)
			buf_puts(&in, pieces[i]);
		assert_int_equal(html_read(buf_str(&in), &a, &text, &h), OK);
		assert_true(h.links_n <= HTML_LINKS_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts),
		cmocka_unit_test(links),
		cmocka_unit_test(bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
