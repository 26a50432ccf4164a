/* SPDX-License-Identifier: ISC */
/* json - JSON that others wrote (jansson): bounded before it is parsed, as the parser recurses; texts are one line without control characters. Lenient: what is missing or of
 * another type is "" or 0.
 */
#ifndef RT_JSON_H
#define RT_JSON_H

#include <jansson.h>

#include "base/arena.h"
#include "base/err.h"

struct json_limits {
	size_t octets, depth, values; /* depth of nesting; numbers of commas, colons and brackets */
};
/* The caller gives *out back by json_decref. E_SYNTAX: it is none; E_LIMIT. `what` for the error's text: "a TLS report". */
MUST_USE err json_read(str text, const struct json_limits *limits, const char *what, json_t **out);

str json_clean(const json_t *string, size_t max, struct arena *a); /* cut at `max` octets */
str json_text(const json_t *object, const char *key, size_t max, struct arena *a);
uint64_t json_count(const json_t *object, const char *key); /* also a string of digits, or a real number */

#endif
