/* SPDX-License-Identifier: ISC */
/* url - where a document is fetched: https://HOST[:PORT][/PATH], or http:// to this machine. */
#ifndef CONF_URL_H
#define CONF_URL_H

#include "base/err.h"
#include "base/str.h"

enum { URL_MAX = 2000 };

struct url {
	bool plain;    /* http:// */
	str host;      /* a name, or an address without brackets; a view into the text */
	uint16_t port; /* 443 or 80 without one */
	bool loopback; /* the host is localhost (RFC 6761 6.3) or a loopback address */
};
/* E_SYNTAX: it is none, has a user, a fragment or octets that a URL does not have, or is http:// to another machine. */
MUST_USE err url_parse(str text, struct url *out);

#endif
