/* SPDX-License-Identifier: ISC */
/* Any text is read; what was read is printed as one line that is read as the same. */
#include <stdlib.h>

#include "mail/finding.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round(const struct finding *f)
{
	BUF(once, FINDINGS_MAX);
	BUF(twice, FINDINGS_MAX);
	struct finding again;

	finding_print(&once, f);
	str rest = buf_str(&once);
	if (rest.n == 0 || str_find(rest, '\n') != rest.n - 1 || !finding_next(&rest, &again) || rest.n > 0)
		abort();
	finding_print(&twice, &again);
	if (!str_equal(buf_str(&once), buf_str(&twice)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str text = str_make((const char *)data, size);
	struct finding f = {FINDING_CHECK, str_take(text, size / 3), str_drop(text, size / 2), (int64_t)size, text};

	check_round(&f);
	while (finding_next(&text, &f))
		check_round(&f);
	return 0;
}
