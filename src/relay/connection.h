/* SPDX-License-Identifier: ISC */
/* connection - to a server that we can send mail to: connected, greeted, secured as its policy asks, and logged in. */
#ifndef RELAY_CONNECTION_H
#define RELAY_CONNECTION_H

#include "relay/places.h"
#include "relay/policy.h"
#include "smtp/client.h"

struct relay_connection {
	struct smtp_client *client;
	struct config *config; /* that it was made with */
	struct trust *trust;
	struct arena memory;
	str host;     /* "mx.example.com[192.0.2.1]:25" */
	str security; /* "TLSv1.3 TLS_AES_256_GCM_SHA384 dane mx.example.com"; "" plaintext */
	str destination;
	uint64_t flags; /* POLICY_FLAGS of the message that it was made for */
	nsec opened;
	unsigned messages; /* that were sent over it */
	struct places *places;
	struct place *place; /* that it takes; NULL: none is counted */
};

/* Why a host, or all of them, cannot be used. */
struct trouble {
	err code;   /* OK: there is none; E_TEMP: not now; E_PERM: never */
	str status; /* "4.4.1" */
	str reply;  /* the server's words, or ours, one line */
	str host;   /* as above, when it said this; "" we ourselves */
	str security;
};
/* From err_info. */
void trouble_note(struct trouble *t, struct arena *a, err e);
/* From a reply. */
void trouble_said(struct trouble *t, struct arena *a, const struct smtp_reply *r, const struct relay_connection *c);
/* "550 5.1.1 No such user"; a code of 0 and a status of "" are left out. */
str reply_line(struct arena *a, int code, str status, str text);

struct connection_question {
	struct relay *relay;
	struct config *config;
	const struct relay_way *way;
	const struct relay_host *host;
	const struct relay_policy *policy;
	uint64_t flags;
	str destination, session;
	nsec until;        /* nothing takes longer; 0: RT_NEVER */
	bool *busy;        /* as of race_question */
	nsec patience;     /* for each answer of the server; 0: RFC 5321's times */
	unsigned *chances; /* how many addresses that take a connection and are of no use may be tried still */
	struct arena *arena;
};
/* Tries the host's addresses. OK: `out` is the caller's. E_CANCELLED. E_TEMP, E_PERM: as `trouble` says. E_END: the host is this machine. */
MUST_USE err connection_open(const struct connection_question *q, struct relay_connection **out,
                             struct trouble *trouble);
void connection_quit(struct relay_connection *c); /* politely; NULL allowed */
void connection_drop(struct relay_connection *c); /* at once; NULL allowed */

#endif
