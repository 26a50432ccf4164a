/* SPDX-License-Identifier: ISC */
/* The tables of messages.h. Each list of fields is expanded inside a function of its own, where `self` is its struct. */
#include "link/messages.h"

#define FIELD_OF_NUM(f)        {#f, FIELD_NUM, offsetof(self, f), 0, NULL},
#define FIELD_OF_STR(f)        {#f, FIELD_STR, offsetof(self, f), 0, NULL},
#define FIELD_OF_LIST(type, f) {#f, FIELD_LIST, offsetof(self, f), offsetof(self, f##_n), &record_##type},
#define FIELD_OF_BODY(f)       {#f, FIELD_BODY, offsetof(self, f), 0, NULL},
#define FIELD_OF_FD(f)         {#f, FIELD_FD, offsetof(self, f), 0, NULL},
#define COUNT(...)             +1

#define RECORD_TABLE(r) \
	static const struct field *fields_##r(void) \
	{ \
		typedef struct r self UNUSED; \
		static const struct field table[] = {FIELDS_##r(FIELD_OF_NUM, FIELD_OF_STR, FIELD_OF_LIST, FIELD_OF_BODY, \
		                                                FIELD_OF_FD)}; \
		return table; \
	} \
	const struct record record_##r = {#r, sizeof(struct r), fields_##r, \
	                                  0 FIELDS_##r(COUNT, COUNT, COUNT, COUNT, COUNT)};
#define CALL_TABLES(c, served_by) RECORD_TABLE(c##_request) RECORD_TABLE(c##_reply)

RECORDS(RECORD_TABLE)
CALLS(CALL_TABLES)

#define CALL_TYPE(c, served_by) [CALL_##c] = {#c, served_by, &record_##c##_request, &record_##c##_reply},
const struct call_type call_types[CALL_COUNT] = {CALLS(CALL_TYPE)};

bool call_is_secret(enum call type)
{
	return type == CALL_auth || type == CALL_token || type == CALL_credential || type == CALL_certify;
}
