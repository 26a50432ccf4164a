/* SPDX-License-Identifier: ISC */
/* Any text is read without a fault of ours; what was accepted is dumped as a text that is accepted and dumps the same. */
#include <stdlib.h>

#include "conf/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct config *parse(str text)
{
	struct config_faults faults = {.text = BUF_INIT(64 << 10)};
	struct config *c = config_parse(text, "fuzz", &faults);

	if ((c == NULL) != (faults.n > 0))
		abort();
	buf_free(&faults.text);
	return c;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *c = parse(str_make((const char *)data, size));
	BUF(first, 4 << 20);
	BUF(second, 4 << 20);

	if (c == NULL)
		return 0;
	config_dump(c, &first);
	config_release(c);
	if ((c = parse(buf_str(&first))) == NULL)
		abort();
	config_dump(c, &second);
	config_release(c);
	if (!str_equal(buf_str(&first), buf_str(&second)))
		abort();
	return 0;
}
