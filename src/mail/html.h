/* SPDX-License-Identifier: ISC */
/* html - what a reader sees of HTML: its text and where its links lead. No browser: enough to read words by. Pure, linear, bounded whatever it gets.
 *
 * Tags and comments within a word vanish, those that begin a new line or a cell part words; scripts and styles have no text; text that is made invisible is counted
 * and left out.
 */
#ifndef MAIL_HTML_H
#define MAIL_HTML_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum { HTML_LINKS_MAX = 256, HTML_URL_MAX = 2000 };

enum html_link_kind { HTML_LINK, HTML_IMAGE, HTML_FORM };
struct html_link {
	enum html_link_kind kind;
	str url;             /* entities decoded, without controls and blanks; at most HTML_URL_MAX octets */
	size_t from, length; /* of a LINK: its text, as octets of the text */
};
struct html {
	struct html_link *links; /* the first HTML_LINKS_MAX */
	size_t links_n;
	size_t tags, images;
	size_t hidden; /* octets of text that nobody sees */
	bool scripts, forms;
};
/* Appends the text of `source` (UTF-8) as far as `text` has room. E_LIMIT: the arena is full. */
MUST_USE err html_read(str source, struct arena *a, struct buf *text, struct html *out);

#endif
