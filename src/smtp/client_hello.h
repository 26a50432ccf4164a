/* SPDX-License-Identifier: ISC */
/* client_hello - what a server offers: its reply to EHLO. Pure. */
#ifndef SMTP_CLIENT_HELLO_H
#define SMTP_CLIENT_HELLO_H

#include "base/str.h"

enum hello_mechanism { OFFER_SCRAM_PLUS = 1, OFFER_SCRAM = 2, OFFER_PLAIN = 4, OFFER_LOGIN = 8 }; /* those that we do */

struct hello_offer {
	unsigned extensions; /* enum smtp_extension */
	unsigned mechanisms; /* of AUTH */
	uint64_t size_max;   /* SIZE: octets, 0 not said */
	uint64_t by_min;     /* DELIVERBY: seconds, 0 none (RFC 2852 2) */
};
/* `lines` as of reply_take_line. What is malformed or not known is passed over. */
void hello_parse(str lines, struct hello_offer *out);

#endif
