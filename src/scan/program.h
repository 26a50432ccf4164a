/* SPDX-License-Identifier: ISC */
/* program - what the clients of scan.h share: one program asked about one message. */
#ifndef SCAN_PROGRAM_H
#define SCAN_PROGRAM_H

#include "rt/stream.h"
#include "scan/scan.h"

/* The message as it is now: what milters before have put in place of what came. */
struct scan_message {
	const struct origin *origin;
	uint64_t id;
	str sender;
	struct rcpt *rcpts;
	size_t rcpts_n;
	struct body body;
	bool own_body; /* to be released: a milter's */
};
struct program {
	const struct scan_input *in;
	const struct config_scanner *scanner;
	const struct scan_message *message;
	nsec deadline;
	struct arena *arena; /* of the result */
};
/* What one of them says. `result`: a word for the finding, "clean", "infected", "spam"; `evidence`: a sentence. */
struct program_answer {
	enum scan_action action;
	int reply; /* REJECT, LATER */
	str status, text;
	int64_t points;
	str result, evidence;
	/* milters */
	unsigned changed;
	struct scan_message now;
};
#define PROGRAM_SAID_NOTHING ((struct program_answer){.now.body = BODY_OF(STR_NONE)})
/* Begins with PROGRAM_SAID_NOTHING. E_...: it failed, and err_info says how; nothing it said counts. */
typedef err program_ask(const struct program *p, struct program_answer *out);
program_ask program_clamd, program_spamd, program_rspamd, program_milter;

/* A connection, with the deadline for what is written. The caller closes it. */
MUST_USE err program_connect(const struct program *p, struct stream **out);
/* One line of others' words as a reply or a finding shows it: printable ASCII, `max` octets at most. */
str program_words(struct arena *a, str text, size_t max);
/* Lines of a trace header as the message will have in front of it: Return-Path, and Received of ours. */
void program_trace(const struct program *p, struct buf *out);

#endif
