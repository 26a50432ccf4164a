/* SPDX-License-Identifier: ISC */
#include "mailauth/gzip.h"

#include <zlib.h>

enum { GZIP_ONLY = 16, CHUNK = 16 << 10, MEMORY_LEVEL = 8 };

bool gzip_is(str octets)
{
	return str_starts(octets, STR("\x1f\x8b"));
}

static void feed(z_stream *z, str octets)
{
	z->next_in = (z_const Bytef *)(uintptr_t)octets.p; /* zlib's older headers have no const here; it only reads */
	z->avail_in = (uInt)octets.n;
}

typedef int (*coder)(z_stream *z, int flush); /* deflate, inflate */

/* `out` has no room left: is there anything that would need it? */
static int write_nothing(z_stream *z, coder step, int flush)
{
	Bytef spare;

	z->next_out = &spare;
	z->avail_out = 1;
	int result = step(z, flush);
	return z->avail_out == 0 ? Z_BUF_ERROR : result;
}

/* One more piece of `out`. */
static int write_piece(z_stream *z, coder step, int flush, struct buf *out)
{
	size_t room = out->cap - out->n < CHUNK ? out->cap - out->n : CHUNK;
	char *to = buf_reserve(out, room);

	if (to == NULL)
		return Z_MEM_ERROR;
	if (room == 0)
		return write_nothing(z, step, flush);
	z->next_out = (Bytef *)to;
	z->avail_out = (uInt)room;
	int result = step(z, flush);
	buf_commit(out, room - z->avail_out);
	return result;
}

static err too_large(const struct buf *out)
{
	return err_note(E_LIMIT, "gzip: more than %zu octets", out->cap);
}

/* --- packing --- */

err gzip_pack(str octets, struct buf *out)
{
	z_stream z = {0};
	int result = Z_OK;

	if (octets.n > UINT32_MAX)
		return too_large(out);
	if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + GZIP_ONLY, MEMORY_LEVEL,
	                 Z_DEFAULT_STRATEGY) != Z_OK)
		return err_note(E_MEMORY, "no memory to compress");
	feed(&z, octets);
	while (result == Z_OK)
		result = write_piece(&z, deflate, Z_FINISH, out);
	deflateEnd(&z);
	if (result == Z_MEM_ERROR)
		return err_note(E_MEMORY, "no memory to compress");
	return result == Z_STREAM_END ? OK : too_large(out);
}

/* --- unpacking --- */

static err unpack_failed(int result, const struct buf *out)
{
	if (result == Z_MEM_ERROR)
		return err_note(E_MEMORY, "no memory to decompress");
	if (result == Z_BUF_ERROR && out->n == out->cap)
		return too_large(out);
	return err_note(E_SYNTAX, "gzip: %s", result == Z_BUF_ERROR ? "it ends too soon" : "malformed");
}

/* RFC 1952 2.2: members follow each other. Padding behind the last one is no member. */
static bool next_member(z_stream *z, str octets)
{
	return gzip_is(str_drop(octets, octets.n - z->avail_in)) && inflateReset(z) == Z_OK;
}

static err unpack(str octets, int window, struct buf *out)
{
	z_stream z = {0};
	int result = Z_OK;

	if (octets.n > UINT32_MAX)
		return too_large(out);
	if (inflateInit2(&z, window) != Z_OK)
		return err_note(E_MEMORY, "no memory to decompress");
	feed(&z, octets);
	while (result == Z_OK) {
		result = write_piece(&z, inflate, Z_NO_FLUSH, out);
		if (result == Z_STREAM_END && window > 0 && next_member(&z, octets))
			result = Z_OK;
	}
	err e = result == Z_STREAM_END ? OK : unpack_failed(result, out);
	inflateEnd(&z);
	return e;
}

err gzip_unpack(str octets, struct buf *out)
{
	return unpack(octets, MAX_WBITS + GZIP_ONLY, out);
}

err gzip_inflate(str octets, struct buf *out)
{
	return unpack(octets, -MAX_WBITS, out);
}
