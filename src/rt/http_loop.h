/* SPDX-License-Identifier: ISC */
/* http_loop - libcurl's transfers on our loop. Private to this room. */
#ifndef RT_HTTP_LOOP_H
#define RT_HTTP_LOOP_H

#include <curl/curl.h>

#include "rt/rt.h"

struct http_transfer {
	CURL *easy; /* CURLOPT_PRIVATE is taken */
	CURLcode result;
	/* private */
	struct co *waiter;
	struct http_transfer *next;
	err broken; /* the loop failed, not the transfer */
	bool done;
};
/* Before anything else of libcurl's; further calls cost nothing. E_MEMORY. */
MUST_USE err http_begin(void);
/* Parks until the transfer is over: OK, and `result` is there. E_TIMEOUT, E_CANCELLED, E_MEMORY, E_IO: it was given up. Either way libcurl does
 * nothing more with `easy`, which the caller cleans up. */
MUST_USE err http_run(struct http_transfer *t, nsec deadline);

#endif
