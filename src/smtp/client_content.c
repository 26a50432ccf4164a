/* SPDX-License-Identifier: ISC */
#include "smtp/client_content.h"

#include "mail/header.h"
#include "smtp/data.h"

enum { LINE_MAX_OCTETS = 998 }; /* RFC 5321 4.5.3.1.6, without its end */

static bool has_long_line(str s)
{
	while (s.n > 0) {
		size_t n = str_find(s, '\n');
		str line = str_take(s, n);

		if (line.n > LINE_MAX_OCTETS + (str_ends(line, STR("\r")) ? 1 : 0))
			return true;
		s = str_drop(s, n + 1);
	}
	return false;
}

static void pass_over(void *ctx, str run)
{
	(void)ctx;
	(void)run;
}

struct content content_scan(str message, bool lines_too)
{
	struct data_scan scan = {.chunked = true, .emit = pass_over};
	struct content c = {.eight = !str_is_ascii(message)};

	data_feed(&scan, message);
	c.ended = scan.state == DATA_LINE_START;
	data_finish(&scan);
	c.nul = scan.nul;
	c.bare = scan.bare;
	c.eight_header = c.eight && !str_is_ascii(str_take(message, header_size(message)));
	c.long_line = lines_too && has_long_line(message);
	return c;
}
