/* SPDX-License-Identifier: ISC */
#include "scan/program.h"

#include "mail/received.h"
#include "rt/net.h"

enum { READ_MAX = 64 << 10 };

err program_connect(const struct program *p, struct stream **out)
{
	int fd = -1;
	err e = p->in->dial != NULL ? p->in->dial(p->in->ctx, p->scanner, p->deadline, &fd)
	                            : net_connect(&p->scanner->address, NULL, &fd, p->deadline);

	if (e != OK)
		return e;
	*out = stream_open_fd(fd, READ_MAX);
	if (*out == NULL)
		return err_note(E_MEMORY, "no memory for a connection");
	nsec left = p->deadline - rt_now();
	stream_write_timeout(*out, left > 0 ? left : 1);
	return OK;
}

str program_words(struct arena *a, str text, size_t max)
{
	return arena_ascii(a, str_trim(str_take(text, max)));
}

void program_trace(const struct program *p, struct buf *out)
{
	const struct scan_message *m = p->message;

	buf_printf(out, "Return-Path: <" STR_FMT ">\r\n", STR_ARG(m->sender));
	received_print(out, &(struct received){.origin = m->origin,
	                                       .hostname = p->in->config->hostname,
	                                       .id = m->id,
	                                       .only_recipient = m->rcpts_n == 1 ? m->rcpts[0].address : STR_NONE,
	                                       .at = rt_wall()});
}
