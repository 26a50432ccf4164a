/* SPDX-License-Identifier: ISC */
#include "mailauth/zip.h"

#include "base/cursor.h"
#include "mailauth/gzip.h"

#define LOCAL_FILE STR("PK\x03\x04")

enum { STORED = 0, DEFLATED = 8, FLAG_ENCRYPTED = 1, FLAG_SIZES_BEHIND = 8 };

bool zip_is(str octets)
{
	return str_starts(octets, LOCAL_FILE);
}

static uint32_t little(struct cursor *c, size_t n)
{
	str octets = cursor_bytes(c, n);
	uint32_t v = 0;

	for (size_t i = 0; i < octets.n; i++)
		v |= (uint32_t)(unsigned char)octets.p[i] << (8 * i);
	return v;
}

struct local_file {
	uint32_t flags, method, packed;
};

static bool read_local_file(struct cursor *c, struct local_file *f)
{
	(void)cursor_bytes(c, LOCAL_FILE.n + 2);
	f->flags = little(c, 2);
	f->method = little(c, 2);
	(void)cursor_bytes(c, 8); /* time, date, crc */
	f->packed = little(c, 4);
	(void)cursor_bytes(c, 4);
	uint32_t name = little(c, 2), extra = little(c, 2);
	(void)cursor_bytes(c, name);
	(void)cursor_bytes(c, extra);
	return !c->failed;
}

err zip_unpack(str octets, struct buf *out)
{
	struct cursor c = cursor_of(octets);
	struct local_file f;

	if (!zip_is(octets) || !read_local_file(&c, &f))
		return err_note(E_SYNTAX, "zip: malformed");
	str rest = cursor_rest(&c);
	if ((f.flags & FLAG_ENCRYPTED) != 0 || (f.method != STORED && f.method != DEFLATED))
		return err_note(E_SYNTAX, "zip: encrypted, or packed in a way that is not known here");
	if ((f.flags & FLAG_SIZES_BEHIND) == 0 && f.packed <= rest.n)
		rest = str_take(rest, f.packed);
	else if ((f.flags & FLAG_SIZES_BEHIND) == 0 || f.method == STORED)
		return err_note(E_SYNTAX, "zip: it ends too soon");
	if (f.method == DEFLATED)
		return gzip_inflate(rest, out);
	buf_put(out, rest);
	return out->full ? err_note(E_LIMIT, "zip: more than %zu octets", out->cap) : OK;
}
