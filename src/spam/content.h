/* SPDX-License-Identifier: ISC */
/* content - a message taken apart once, for words and rules: its parts, its text as a reader sees it, where its links lead. Pure; bounded in time and memory whatever
 * the message.
 */
#ifndef SPAM_CONTENT_H
#define SPAM_CONTENT_H

#include "mail/html.h"
#include "mail/mime.h"
#include "spam/url.h"

enum {
	CONTENT_TEXT_MAX = 256 << 10,
	CONTENT_READ_MAX = 1 << 20,
	CONTENT_HEADER_MAX = 256 << 10,
	CONTENT_LINKS_MAX = 512,
	CONTENT_MEMORY = 8 << 20
};

struct content_link {
	enum html_link_kind kind;
	bool html;
	str url;
	struct url_host host; /* name "" none */
	size_t from;          /* of `text` in all text */
	str text;             /* that is shown for it, "" none */
};
struct content {
	struct arena arena; /* of what is below */
	struct buf text, scratch;
	struct mime mime;
	str header;      /* of the message, at most CONTENT_HEADER_MAX */
	str plain, html; /* halves of `text`: of text/plain and the like; of text/html */
	struct content_link *links;
	size_t links_n;
	str authority;               /* of the last one */
	size_t tags, images, hidden; /* of all HTML, as in mail/html.h; `images` also attached ones */
	size_t read;                 /* octets of parts, as they stand */
	size_t html_n;               /* parts */
	bool scripts, forms;
	bool cut; /* there is more text than was read */
};
/* Views into `message` and the content's own memory, which is given back by content_free, also after an error. E_LIMIT: it does not fit into CONTENT_MEMORY. */
MUST_USE err content_read(str message, struct content *out);
void content_free(struct content *c);

#endif
