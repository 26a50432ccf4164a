/* SPDX-License-Identifier: ISC */
#include "scan/milter_packet.h"

void milter_number(uint32_t v, char out[4])
{
	for (size_t i = 0; i < 4; i++)
		out[i] = (char)(v >> (24 - 8 * i));
}

uint32_t milter_u32(struct cursor *c)
{
	str octets = cursor_bytes(c, 4);
	uint32_t v = 0;

	for (size_t i = 0; i < octets.n; i++)
		v = v << 8 | (unsigned char)octets.p[i];
	return v;
}

str milter_string(struct cursor *c)
{
	str rest = cursor_rest(c);
	size_t n = str_find(rest, '\0');

	if (n == rest.n) {
		cursor_fail(c);
		return STR("");
	}
	(void)cursor_bytes(c, n + 1);
	return str_take(rest, n);
}

void milter_put(struct stream *s, char kind, const str *parts, size_t n)
{
	char head[5];
	size_t size = 1;

	for (size_t i = 0; i < n; i++)
		size += parts[i].n;
	milter_number((uint32_t)size, head);
	head[4] = kind;
	stream_put(s, str_make(head, sizeof(head)));
	for (size_t i = 0; i < n; i++)
		stream_put(s, parts[i]);
}

err milter_get(struct stream *s, struct buf *memory, struct milter_packet *out, nsec deadline)
{
	char head[4];
	err e = stream_read(s, head, sizeof(head), deadline);

	if (e != OK)
		return e;
	struct cursor c = cursor_of(str_make(head, sizeof(head)));
	size_t size = milter_u32(&c);
	if (size == 0)
		return err_note(E_SYNTAX, "it sent an empty packet");
	buf_reset(memory);
	char *to = size > MILTER_PACKET_MAX ? NULL : buf_reserve(memory, size);
	if (to == NULL)
		return err_note(E_LIMIT, "it sent a packet of %zu octets", size);
	e = stream_read(s, to, size, deadline);
	if (e != OK)
		return e;
	buf_commit(memory, size);
	*out = (struct milter_packet){memory->p[0], str_drop(buf_str(memory), 1)};
	return OK;
}
