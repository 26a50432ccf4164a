/* SPDX-License-Identifier: ISC */
/* clamd - INSTREAM (clamd(8)): the message in chunks, then one line: "stream: OK", "stream: NAME FOUND", "... ERROR". */
#include "scan/program.h"

enum { CHUNK_MAX = 1 << 20, LINE_MAX_OCTETS = 1024, NAME_MAX_OCTETS = 100 };

static void put_size(struct stream *s, size_t n)
{
	const char octets[] = {(char)(n >> 24), (char)(n >> 16), (char)(n >> 8), (char)n};

	stream_put(s, str_make(octets, sizeof(octets)));
}

static err send_message(struct stream *s, str message)
{
	stream_put(s, STR("nINSTREAM\n"));
	while (message.n > 0 && stream_error(s) == OK) {
		str chunk = str_take(message, CHUNK_MAX);

		put_size(s, chunk.n);
		stream_put(s, chunk);
		message = str_drop(message, chunk.n);
	}
	put_size(s, 0);
	return stream_flush(s);
}

static err read_answer(const struct program *p, str line, struct program_answer *out)
{
	line = str_trim(line);
	if (!str_starts(line, STR("stream: ")))
		return err_note(E_SYNTAX, "it answered \"" STR_FMT "\"",
		                STR_ARG(program_words(p->arena, line, NAME_MAX_OCTETS)));
	str what = str_drop(line, 8);
	out->evidence = STR("no malware was found");
	out->result = STR("clean");
	if (str_equal(what, STR("OK")))
		return OK;
	if (!str_ends(what, STR(" FOUND")))
		return err_note(E_TEMP, "it said " STR_FMT, STR_ARG(program_words(p->arena, what, NAME_MAX_OCTETS)));
	out->evidence = program_words(p->arena, str_take(what, what.n - 6), NAME_MAX_OCTETS);
	out->result = STR("infected");
	out->action = SCAN_REJECT;
	out->reply = 550;
	out->status = STR("5.7.1");
	out->text = arena_printf(p->arena, "The message contains malware (" STR_FMT ")", STR_ARG(out->evidence));
	return OK;
}

err program_clamd(const struct program *p, struct program_answer *out)
{
	struct stream *s;
	str line;
	err e = program_connect(p, &s);

	if (e != OK)
		return e;
	e = send_message(s, p->message->body.bytes);
	/* A message that is too large for it is answered before its end. */
	err read = stream_read_line(s, LINE_MAX_OCTETS, &line, p->deadline);
	if (read == OK)
		e = read_answer(p, line, out);
	else if (e == OK)
		e = read;
	stream_close(s);
	return e;
}
