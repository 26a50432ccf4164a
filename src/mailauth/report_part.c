/* SPDX-License-Identifier: ISC */
#include "mailauth/report_part.h"

#include "mail/mime.h"

enum { MEMORY = 4 << 20, DEPTH_MAX = 4, PARTS_MAX = 50 }; /* real reports are much simpler */

static bool is_wanted(const struct mime_part *p, const str *types, size_t types_n)
{
	for (size_t i = 0; i < types_n; i++) {
		str type, subtype;
		(void)str_cut(types[i], '/', &type, &subtype);
		if (mime_is(p, type, subtype))
			return true;
	}
	return false;
}

/* A report about us is not what somebody sends on. */
static bool is_enclosed(const struct mime *m, const struct mime_part *p)
{
	for (int i = p->parent; i != MIME_NONE; i = m->parts[i].parent)
		if (m->parts[i].kind == MIME_MESSAGE)
			return true;
	return false;
}

err report_part(str message, const str *types, size_t types_n, struct buf *out)
{
	ARENA(a, MEMORY);
	struct mime mime;
	err e = mime_read(message, &a, &mime);

	for (size_t i = 0; i < mime.n && i <= PARTS_MAX && e == OK; i++) {
		const struct mime_part *p = &mime.parts[i];
		if (p->kind == MIME_LEAF && p->depth <= DEPTH_MAX && is_wanted(p, types, types_n) &&
		    !is_enclosed(&mime, p))
			return mime_content(p, out);
	}
	return e == OK ? err_note(E_NOT_FOUND, "no part of it is a report") : e;
}
