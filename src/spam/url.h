/* SPDX-License-Identifier: ISC */
/* url - where a link leads: the host of a URL as a browser reads it (WHATWG URL), and links in plain text. Pure. */
#ifndef SPAM_URL_H
#define SPAM_URL_H

#include "base/arena.h"
#include "base/str.h"

struct url_host {
	str name;     /* lower case, A-labels; of an address its usual form: "192.0.2.1", "[2001:db8::1]" */
	bool address; /* an IP address, however it is written: "0xc0.0.513" */
	bool user;    /* a user's name stands in front of it: http://bank.example@other.example/ */
};
/* False: it is no URL of http, https or ftp, or has no host. */
bool url_host(str url, struct arena *a, struct url_host *out);

/* What of it names the host: the scheme, what is in front of the host, and the port too. Those of two URLs are the same: so are their hosts. "": it has none. */
str url_authority(str url);

/* Takes the next "http://...", "https://..." or "www...." off *text; STR_NONE: there is none. A view into *text. */
str url_next(str *text);

#endif
