/* SPDX-License-Identifier: ISC */
/* Whatever the header: what is removed are whole fields, in order and apart from each other, and what is left has none of them. */
#include <stdlib.h>

#include "filter/removal.h"
#include "mail/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_ranges(const struct inspect_reply *r, size_t size)
{
	uint64_t end = 0;

	for (size_t i = 0; i < r->drop_n; i++) {
		const struct range *d = &r->drop[i];
		if (d->length == 0 || (i > 0 && d->offset <= end) || d->offset + d->length > size)
			abort();
		end = d->offset + d->length;
	}
}

static void check_left(str header)
{
	struct header_field f;
	size_t at = 0;

	while (header_next(header, &at, &f))
		if (str_equal_nocase(f.name, STR("Pombo-Sender")) || str_equal_nocase(f.name, STR("X-Spam-Flag")))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct removal how = {.hostname = STR("mx.example.org"), .spam_fields = true};
	str message = str_make((const char *)data, size);
	struct range before[] = {{0, size / 2}};
	struct inspect_reply r = {.drop = before, .drop_n = size % 2 == 0 && size >= 2};
	ARENA(a, 64 << 20);
	BUF(header, 64 << 20);

	if (removal_add(&how, message, &r, &a) != OK)
		return 0;
	check_ranges(&r, size);
	removal_apply(message, r.drop, r.drop_n, &header);
	if (header.n > size)
		abort();
	if (size % 2 != 0) /* a range across fields may leave anything */
		check_left(buf_str(&header));
	return 0;
}
