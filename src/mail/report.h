/* SPDX-License-Identifier: ISC */
/* report - delivery status notifications (RFC 3461-3464, 6533): written for our senders, and read when they come from others. Pure. */
#ifndef MAIL_REPORT_H
#define MAIL_REPORT_H

#include "base/arena.h"
#include "base/buf.h"
#include "link/messages.h"

enum report_action { REPORT_FAILED, REPORT_DELAYED, REPORT_DELIVERED, REPORT_RELAYED, REPORT_EXPANDED };

struct report_rcpt {
	str address;   /* final recipient */
	str original;  /* of RCPT, "" the same */
	str orcpt;     /* "type;address" decoded, "" none */
	enum report_action action;
	str status;    /* "5.1.1" */
	str reply;     /* the remote server's words, "" ours alone */
	str explanation; /* one sentence for people, "" from the status */
	str host;      /* the server that said it, "" none */
	int64_t at, retry_until; /* last attempt; REPORT_DELAYED: until when it is tried. Microseconds, 0 none */
};
struct report {
	str hostname;  /* ours */
	uint64_t id;   /* of the report, for its Message-ID */
	str to;        /* reverse-path of the message; never "" */
	str from;      /* "postmaster@example.org" */
	int64_t at;
	str envid;
	uint64_t ret, flags; /* of the message: enum dsn_ret, message_flag */
	uint64_t message_id; /* ours */
	int64_t received;    /* arrival of the message */
	str message;         /* as stored */
	uint64_t quote_max;  /* octets: a longer message is quoted by its header alone */
	const struct report_rcpt *rcpts;
	size_t rcpts_n;
};
/* Appends the whole report: header and three parts, human text, message/delivery-status (message/global-delivery-status where an address needs it, RFC 6533), and the
 * message or its header (text/rfc822-headers), as RET says: the message with failures only, and when RET is FULL or not given; else the header. Of a message that requires TLS, and of one
 * that cannot stand in 8-bit lines, the header, too. No bare CR or LF, lines at most 998, whatever texts of others are like. Final-Recipient is the address that the message was accepted for
 * (RFC 3464 2.3.2). Out of memory: out->full. */
void report_print(struct buf *out, const struct report *r, struct arena *a);

/* The same, read: one of another server that came to us. E_SYNTAX: no report that can be read; E_LIMIT: no memory. Views into `message` or the arena; texts are one line without control
 * characters. Of a recipient are filled: address, orcpt, action, status ("" when not in form), reply (without its type) and host. */
struct report_found {
	str envid, reporting_mta;
	struct report_rcpt *rcpts;
	size_t rcpts_n;
	str message_id; /* of the quoted message, with its brackets, "" unknown */
};
MUST_USE err report_parse(str message, struct arena *a, struct report_found *out);

#endif
