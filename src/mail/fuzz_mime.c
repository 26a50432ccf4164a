/* SPDX-License-Identifier: ISC */
/* The parts of any message lie within it and within each other; their contents are bounded, and text is UTF-8. */
#include <stdlib.h>

#include "mail/mime.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static bool is_within(str part, str whole)
{
	return part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

static void look(const struct mime *m, const struct mime_part *p, struct arena *a)
{
	BUF(scratch, 1000);
	BUF(text, 1000);

	check(p->depth < MIME_DEPTH_MAX && p->parent < (int)m->n);
	if (p->parent != MIME_NONE)
		check(is_within(p->header, m->parts[p->parent].body) && is_within(p->body, m->parts[p->parent].body));
	(void)mime_text(p, a, &scratch, &text);
	check(str_is_utf8(buf_str(&text)));
	check(mime_file_name(p, a).n <= 255);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	ARENA(a, 1 << 20);
	str message = str_make((const char *)data, n);
	struct mime m;

	if (mime_read(message, &a, &m) != OK)
		return 0;
	check(m.n >= 1 && m.n <= MIME_PARTS_MAX);
	for (size_t i = 0; i < m.n; i++)
		look(&m, &m.parts[i], &a);
	return 0;
}
