/* SPDX-License-Identifier: ISC */
/* compose - a message as a mail client writes it (RFC 5322, MIME of RFC 2045-2047 and 2231): text in UTF-8, and attachments. Pure. */
#ifndef MAIL_COMPOSE_H
#define MAIL_COMPOSE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* "Alice Liddell <alice@example.org>", "<alice@example.org>" or "alice@example.org", as people type it, on one line. */
struct compose_person {
	str name, address; /* name as it is shown, without quotes; "" none */
};
MUST_USE err compose_person(str text, struct arena *a, struct compose_person *out); /* E_SYNTAX */

struct compose_attachment {
	str name; /* of the file, without folders */
	str type; /* "image/png"; "": application/octet-stream */
	str content;
};
struct compose {
	struct compose_person from;
	const struct compose_person *to, *cc;
	size_t to_n, cc_n;
	str subject;
	const str *fields; /* more of the header, "Name: value" each; checked by compose_field */
	size_t fields_n;
	str message_id; /* with <> */
	int64_t at;     /* microseconds */
	str text;       /* UTF-8 with any line ends */
	const struct compose_attachment *attachments;
	size_t attachments_n;
	str boundary; /* between the parts: 20 characters or more that nobody can guess */
};
/* Name, colon and a value without line ends, and not one of those that the rest of struct compose makes. */
MUST_USE err compose_field(str field);
/* Lines end with CRLF. E_SYNTAX: the text is no UTF-8. */
MUST_USE err compose_message(struct buf *out, const struct compose *m);

/* Any line ends as CRLF. */
void compose_lines(struct buf *out, str text);

#endif
