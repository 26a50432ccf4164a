/* SPDX-License-Identifier: ISC */
/* mime - the parts of a message (RFC 2045, 2046), whatever it is: a list in the order in which they stand, each with its place in the tree. Everybody who looks into
 * messages looks through this, so that all see the same. Pure; one pass over the message.
 *
 *	struct mime mime;
 *	err e = mime_read(message, &arena, &mime);
 *	for (size_t i = 0; e == OK && i < mime.n; i++)
 *		if (mime.parts[i].kind == MIME_LEAF)
 *			...
 *
 * A delimiter is a line of "--", the boundary, perhaps "--", perhaps blanks; one of an outer multipart ends the inner ones that were not closed. Of equal boundaries the
 * innermost counts.
 */
#ifndef MAIL_MIME_H
#define MAIL_MIME_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* Deeper multiparts and messages are leaves; parts behind the last one are not looked for. */
enum { MIME_DEPTH_MAX = 20, MIME_PARTS_MAX = 1000, MIME_BOUNDARY_MAX = 200, MIME_NONE = -1 };

enum mime_kind {
	MIME_LEAF,
	MIME_MULTIPART,
	MIME_MESSAGE
}; /* MESSAGE: message/rfc822 or message/global, not encoded; its child is the next one */
struct mime_part {
	enum mime_kind kind;
	str header,
		body; /* as they stand; header with the empty line, body without the line end that belongs to the delimiter */
	str type,
		subtype; /* as written; "text" "plain" when there is none, or none that is one (RFC 2045 5.2), message/rfc822 in a digest */
	str params;      /* of the type, for content_type_param */
	str encoding;    /* of Content-Transfer-Encoding, "" none */
	str disposition; /* the value of Content-Disposition: "attachment; filename=..." as it stands, "" none */
	int parent;      /* its place in the list, MIME_NONE the message itself */
	unsigned depth;  /* the message itself: 0 */
};
struct mime {
	struct mime_part *parts; /* the first is the message itself */
	size_t n;
	bool too_deep, too_many; /* a limit was reached: there is more that nobody sees */
};
/* E_LIMIT: the arena is full. Views into `message`, boundaries are kept in `a`. */
MUST_USE err mime_read(str message, struct arena *a, struct mime *out);

MUST_USE bool mime_is(const struct mime_part *p, str type, str subtype); /* subtype "": any */
/* The content with its encoding undone, appended; transfer_undo says what the errors are. */
MUST_USE err mime_content(const struct mime_part *p, struct buf *out);
/* Text as UTF-8. `scratch` is for what is in between, as large as `out`. False: it is not all. */
bool mime_text(const struct mime_part *p, struct arena *a, struct buf *scratch, struct buf *out);
/* The charset as it is named, "" none. */
str mime_charset(const struct mime_part *p, struct arena *a);
bool mime_is_attachment(const struct mime_part *p);
/* The file's name in UTF-8, one line, at most 255 octets: of Content-Disposition, else of the type; put together and decoded (RFC 2231), encoded words too. "" none. */
str mime_file_name(const struct mime_part *p, struct arena *a);

#endif
