/* SPDX-License-Identifier: ISC */
/* For tests: what an aggregate report's mail is about, the first part of one of these types. */
#ifndef MAILAUTH_REPORT_FAKE_H
#define MAILAUTH_REPORT_FAKE_H

#include "mail/mime.h"

static err report_part(str message, const char *type, const char *subtype, struct buf *out)
{
	ARENA(a, 4 << 20);
	struct mime mime;
	err e = mime_read(message, &a, &mime);

	for (size_t i = 0; e == OK && i < mime.n; i++)
		if (mime.parts[i].kind == MIME_LEAF && mime_is(&mime.parts[i], str_from(type), str_from(subtype)))
			return mime_content(&mime.parts[i], out);
	return e == OK ? E_NOT_FOUND : e;
}

#endif
