/* SPDX-License-Identifier: ISC */
/* client_send - one transaction while it is under way: what client_plan.c decides, client_send.c says and client_data.c transmits. */
#ifndef SMTP_CLIENT_SEND_H
#define SMTP_CLIENT_SEND_H

#include "smtp/client_content.h"
#include "smtp/client_params.h"
#include "smtp/client_state.h"

/* A reply that counts for recipients; code 0: our own words, or none. */
struct heard {
	err result;
	int code;
	str status, text; /* in the arena of the transaction */
};

enum rcpt_state { RCPT_WAITING, RCPT_TAKEN, RCPT_SETTLED }; /* not answered; taken by the server; has its result */

struct sending {
	struct smtp_client *c;
	struct smtp_send *m;
	struct arena *arena;
	bool *in_doubt;
	bool verify; /* no message: who would be taken has his result by that */
	/* from the plan */
	struct send_plan plan;
	struct content content;
	str message;    /* as it is sent */
	bool chunked;   /* by BDAT */
	str sender;     /* addresses as they are said */
	str *addresses; /* of the recipients */
	enum rcpt_state *states;
	/* from the dialogue */
	size_t taken;
	bool mail_refused, go; /* go: 354 was said */
	struct heard over;     /* code != 0: this counts for all who have no result yet */
	size_t unheard;        /* chunks whose reply was not read */
};

/* --- client_plan.c --- */
/* What the server lacks is mended, or refused: E_PERM with a status in err_info. E_SYNTAX: what is to be sent is malformed. `converted` keeps the message when it had to be. */
MUST_USE err sending_plan(struct sending *t, struct buf *converted);

/* --- client_send.c --- */
/* The client's last reply, to be kept. */
struct heard sending_heard(struct sending *t, err result);
void sending_settle(struct sending *t, size_t rcpt, const struct heard *h);
/* The server speaks while it is our turn. E_END: it ends the transaction, t->over has its words; E_SYNTAX and others: the connection is gone. With `refusal` any 4xx or 5xx
 * is taken for that, else 421 alone. */
MUST_USE err sending_interrupted(struct sending *t, bool refusal);

/* --- client_data.c: the message, and what the server says to it. OK: all have their results. E_END: t->over counts for who has none. --- */
MUST_USE err sending_data(struct sending *t);
MUST_USE err sending_chunks(struct sending *t);

#endif
