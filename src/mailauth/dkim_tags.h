/* SPDX-License-Identifier: ISC */
/* dkim_tags - lists of name=value (RFC 6376 3.2): signatures, keys, the fields of ARC, records of DMARC. Pure.
 *
 * Names are looked up with their case, values keep theirs. All views are into the text.
 */
#ifndef MAILAUTH_DKIM_TAGS_H
#define MAILAUTH_DKIM_TAGS_H

#include "base/buf.h"
#include "base/err.h"

enum { DKIM_TAGS_MAX = 64 };

struct dkim_tag {
	str name;
	str value; /* without white space and folds around it; inside they stay */
	str whole; /* all between the equals sign and the semicolon */
};
struct dkim_tags {
	struct dkim_tag items[DKIM_TAGS_MAX]; /* in order */
	size_t n;
};
/* E_SYNTAX: malformed, empty, or a name that is there twice; E_LIMIT: more than DKIM_TAGS_MAX. err_info says what. Blanks and folds are allowed around names and
 * values, and one semicolon at the end. Bytes of UTF-8 are allowed in values (RFC 8616), control characters are not. */
MUST_USE err dkim_tags_parse(str text, struct dkim_tags *out);
/* False when there is no such tag; *value is STR_NONE then. */
bool dkim_tags_find(const struct dkim_tags *t, const char *name, str *value);
/* Its value, or all of it between equals sign and semicolon; STR_NONE when there is none. */
str dkim_tags_get(const struct dkim_tags *t, const char *name);
str dkim_tags_whole(const struct dkim_tags *t, const char *name);
/* Takes the next item of a list that is separated by `sep` off `rest`, without the white space around it. False at the end. An empty value has one item, an
 * empty one; STR_NONE has none. */
bool dkim_tags_item(str *rest, char sep, str *item);
/* Appends the value without any white space, which base64 may have anywhere. */
void dkim_tags_squeeze(struct buf *out, str value);

#endif
