/* SPDX-License-Identifier: ISC */
/* trust - by what other servers are believed, and the passwords we show them. Connections hold the one that they were made with. */
#ifndef RELAY_TRUST_H
#define RELAY_TRUST_H

#include "link/messages.h"
#include "rt/tls_client.h"

struct trust {
	unsigned references;
	struct tls_client *tls;
	str authorities; /* PEM, "" the system's */
	struct named_file *passwords;
	size_t passwords_n;
	struct arena memory;
};

MUST_USE err trust_new(const struct certify_request *q,
                       struct trust **out); /* one reference; E_SYNTAX: no certificate in the authorities */
struct trust *trust_hold(struct trust *t);
void trust_release(struct trust *t); /* NULL allowed; wipes the passwords with the last one */
/* The first line of the file. False: it was not to be had. */
MUST_USE bool trust_password(const struct trust *t, str file, str *out);

#endif
