/* SPDX-License-Identifier: ISC */
/* Anything as a report: what is read of it can be kept, is one line, and what we write of it is read again. */
#include <stdlib.h>

#include "mailauth/dmarc_report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ARENA(a, 32 << 20);
	BUF(json, 16 << 10);
	BUF(xml, 16 << 20);
	struct dmarc_report report, again;

	if (dmarc_report_parse(str_make((const char *)data, size), &a, &report) != OK)
		return 0;
	dmarc_report_json(&json, &report);
	if (json.full || str_find(buf_str(&json), '\n') != json.n)
		abort();
	dmarc_report_print(&xml, &report);
	if (!xml.full && dmarc_report_parse(buf_str(&xml), &a, &again) == OK && again.records_n != report.records_n)
		abort();
	return 0;
}
