/* SPDX-License-Identifier: ISC */
/* http - fetching a small document over HTTPS (libcurl, on our loop): MTA-STS policies, token introspection. */
#ifndef RT_HTTP_H
#define RT_HTTP_H

#include "base/arena.h"
#include "rt/net.h"

struct http_request {
	str url;              /* https:// (http:// only where `plain`) */
	const struct net_address *addresses; /* of the URL's host: no name is looked up here; its port counts when it is not 0 */
	size_t addresses_n;
	str authorities_pem;  /* certificates that are known, "" the system's */
	str method_body;      /* "": GET; else POST of it as application/x-www-form-urlencoded, or of `content_type` */
	str content_type;     /* of method_body, "" as said; of the reply, wanted prefix ("text/plain"), when it is a GET; "" any */
	str user, password;   /* basic authentication, "" none */
	size_t max;           /* octets of the reply */
	bool plain;
};
/* Parks. No redirect is followed. OK: `body` in `a`, status 200. E_NOT_FOUND: another status; E_DENIED: the certificate; E_LIMIT: too long; E_SYNTAX: content
 * type; E_TIMEOUT, E_CLOSED, E_CANCELLED. err_info says what. */
MUST_USE err http_fetch(const struct http_request *q, str *body, struct arena *a, nsec deadline);

#endif
