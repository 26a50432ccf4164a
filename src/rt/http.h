/* SPDX-License-Identifier: ISC */
/* http - fetching a small document over HTTPS (libcurl, on our loop): MTA-STS policies, token introspection. */
#ifndef RT_HTTP_H
#define RT_HTTP_H

#include "base/arena.h"
#include "rt/net.h"

enum { HTTP_ADDRESSES_MAX = 16 }; /* more are left out */

struct http_request {
	str url; /* https:// (http:// only where `plain`) */
	/* Of the URL's host: no name is looked up here. The port of the first counts for all, unless it is 0. */
	const struct net_address *addresses;
	size_t addresses_n;
	str authorities_pem; /* certificates that are known, "" the system's */
	str method_body;     /* "": GET; else POST of it as application/x-www-form-urlencoded, or of `content_type` */
	str content_type;    /* of method_body, "" as said; of the reply, when it is a GET ("text/plain"); "" any */
	const str *headers;  /* more header fields of a POST, "Name: value"; the caller has seen to it that no line end is in them */
	size_t headers_n;
	str user, password;  /* basic authentication, "" none */
	size_t max;          /* octets of the reply */
	bool plain;
};
/* Parks. No redirect is followed, no proxy asked. OK: `body` in `a`, status 200 (of a POST any 2xx). E_NOT_FOUND: another status; E_DENIED: the
 * certificate; E_LIMIT: too long; E_SYNTAX: the URL, or the content type; E_TIMEOUT, E_CLOSED, E_CANCELLED, E_MEMORY. err_info says what. */
MUST_USE err http_fetch(const struct http_request *q, str *body, struct arena *a, nsec deadline);

#endif
