/* SPDX-License-Identifier: ISC */
#include "rt/tls_verify.h"

#include <arpa/inet.h>
#include <openssl/x509v3.h>

#include "rt/tls_stream.h"

#define NAME_MAX_OCTETS 253 /* RFC 1035 2.3.4, without the final dot */
#define NAMES_SHOWN     3

enum { USAGE_TRUST_ANCHOR = 2, USAGE_END_ENTITY = 3 }; /* RFC 7218 2.1 */

/* RFC 6125 6.4.3: a wildcard is a label of its own, and one label only. */
#define NAME_FLAGS (X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_SINGLE_LABEL_SUBDOMAINS)

/* --- what is asked --- */

/* OpenSSL says .example.com for what is *.example.com here. */
static str reference(str name)
{
	return str_starts(name, STR("*.")) ? str_drop(name, 1) : name;
}

bool tls_is_address(const char *name)
{
	struct in6_addr a;

	return inet_pton(AF_INET, name, &a) == 1 || inet_pton(AF_INET6, name, &a) == 1;
}

static err put_names(const struct tls_question *q, SSL *ssl)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	const struct tls_peer *peer = q->peer;
	const char *only = peer->names_n == 1 ? arena_z(q->memory, peer->names[0]) : NULL;

	if (only != NULL && tls_is_address(only))
		return X509_VERIFY_PARAM_set1_ip_asc(param, only) == 1 ? OK
		                                                       : tls_failed(E_MEMORY, "an address to check");
	X509_VERIFY_PARAM_set_hostflags(
		param, q->check == TLS_CHECK_NAME ? NAME_FLAGS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT : NAME_FLAGS);
	X509_VERIFY_PARAM_set1_host(param, NULL, 0);
	for (size_t i = 0; i < peer->names_n; i++) {
		str name = reference(peer->names[i]);

		if (name.n == 0 || name.n > NAME_MAX_OCTETS || X509_VERIFY_PARAM_add1_host(param, name.p, name.n) != 1)
			return tls_failed(E_SYNTAX, "a certificate cannot be checked for such a name");
	}
	return OK;
}

/* How many records can be used. RFC 7672 3.1.3: what needs the authorities of the web cannot. */
static size_t put_records(const struct tls_peer *peer, SSL *ssl)
{
	size_t used = 0;

	for (size_t i = 0; i < peer->tlsa_n; i++) {
		const struct tls_tlsa *r = &peer->tlsa[i];

		if (r->usage != USAGE_TRUST_ANCHOR && r->usage != USAGE_END_ENTITY)
			continue;
		used += SSL_dane_tlsa_add(ssl, r->usage, r->selector, r->matching, (const unsigned char *)r->data.p,
		                          r->data.n) == 1;
	}
	ERR_clear_error();
	return used;
}

static err put_dane(struct tls_question *q, SSL *ssl)
{
	const char *base = arena_z(q->memory, q->peer->server_name.n > 0 ? q->peer->server_name : q->peer->names[0]);

	if (base == NULL || SSL_dane_enable(ssl, base) != 1)
		return tls_failed(E_SYNTAX, "DANE cannot be done for such a name");
	/* RFC 7672 3.1.1: the key is what counts, no name and no date. */
	SSL_dane_set_flags(ssl, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
	if (put_records(q->peer, ssl) == 0)
		q->check = TLS_CHECK_NONE;
	return OK;
}

err tls_question_put(struct tls_question *q, SSL *ssl)
{
	err e = OK;

	q->check = q->peer->check;
	if (q->check != TLS_CHECK_NONE && q->peer->names_n == 0)
		return err_note(E_SYNTAX, "no name that the certificate is to be checked for");
	if (q->check == TLS_CHECK_DANE)
		e = put_dane(q, ssl);
	if (e == OK && q->check != TLS_CHECK_NONE)
		e = put_names(q, ssl);
	return e;
}

/* --- names of a certificate --- */

static str printable(struct arena *a, const unsigned char *p, size_t n)
{
	char *to = arena_alloc(a, n);

	for (size_t i = 0; to != NULL && i < n; i++)
		to[i] = p[i] > ' ' && p[i] < 0x7f ? (char)p[i] : p[i] == ' ' ? ' ' : '?';
	return to == NULL ? STR_NONE : str_make(to, n);
}

static str of_string(struct arena *a, const ASN1_STRING *s)
{
	unsigned char *utf8 = NULL;
	int n = s == NULL ? -1 : ASN1_STRING_to_UTF8(&utf8, s);
	str out = n > 0 && n <= NAME_MAX_OCTETS ? printable(a, utf8, (size_t)n) : STR_NONE;

	OPENSSL_free(utf8);
	ERR_clear_error();
	return out;
}

/* The common name, or what else tells who it is. */
static str of_name(struct arena *a, const X509_NAME *name)
{
	static const int kinds[] = {NID_commonName, NID_organizationalUnitName, NID_organizationName};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		int at = X509_NAME_get_index_by_NID(name, kinds[i], -1);

		if (at >= 0)
			return of_string(a, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
	}
	return STR_NONE;
}

/* The first `max` host names: how many there are in all. */
static size_t host_names(X509 *certificate, struct arena *a, str *out, size_t max)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	size_t n = 0;

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (name->type != GEN_DNS)
			continue;
		if (n < max)
			out[n] = of_string(a, name->d.dNSName);
		n++;
	}
	GENERAL_NAMES_free(names);
	ERR_clear_error();
	return n;
}

static bool is_for_address(X509 *certificate, str name, struct arena *a)
{
	const char *address = arena_z(a, name);

	return address != NULL && tls_is_address(address) && X509_check_ip_asc(certificate, address, 0) == 1;
}

static str wanted_name(X509 *certificate, const struct tls_peer *peer, struct arena *a)
{
	for (size_t i = 0; i < peer->names_n; i++) {
		str name = reference(peer->names[i]);
		char *found = NULL;

		if (is_for_address(certificate, name, a))
			return arena_str(a, name);
		if (name.n == 0 || X509_check_host(certificate, name.p, name.n, NAME_FLAGS, &found) != 1)
			continue;
		str out = found == NULL ? STR_NONE : printable(a, (const unsigned char *)found, strlen(found));
		OPENSSL_free(found);
		return out;
	}
	return STR_NONE;
}

str tls_subject(X509 *certificate, const struct tls_peer *peer, struct arena *a)
{
	str out = wanted_name(certificate, peer, a);

	ERR_clear_error();
	if (out.n == 0 && host_names(certificate, a, &out, 1) == 0)
		out = of_name(a, X509_get_subject_name(certificate));
	return out;
}

/* --- why it does not hold --- */

static void say_date(struct buf *b, const ASN1_TIME *when)
{
	struct tm tm = {0};

	if (when != NULL && ASN1_TIME_to_tm(when, &tm) == 1)
		buf_printf(b, " %04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
	else
		buf_puts(b, " an unknown date");
}

/* Whose certificate it is about, when it is not the server's own. */
static void say_which(struct buf *b, X509_STORE_CTX *store, X509 *which, struct arena *a)
{
	str name = X509_STORE_CTX_get_error_depth(store) == 0 || which == NULL
	                   ? STR_NONE
	                   : of_name(a, X509_get_subject_name(which));

	buf_puts(b, "the certificate");
	if (name.n > 0)
		buf_printf(b, " of the authority \"" STR_FMT "\"", STR_ARG(str_take(name, 64)));
}

static void say_names(struct buf *b, X509 *leaf, const struct tls_peer *peer, struct arena *a)
{
	str names[NAMES_SHOWN];
	size_t n = host_names(leaf, a, names, NAMES_SHOWN), shown = n < NAMES_SHOWN ? n : NAMES_SHOWN;

	buf_puts(b, n == 0 ? "the certificate is for no host name" : "the certificate is for ");
	for (size_t i = 0; i < shown; i++)
		buf_printf(b, "%s" STR_FMT, i == 0 ? "" : ", ", STR_ARG(str_take(names[i], 64)));
	if (n > shown)
		buf_printf(b, " and %zu more", n - shown);
	buf_printf(b, ", not for " STR_FMT, STR_ARG(str_take(peer->names[0], 64)));
}

static void say_issuer(struct buf *b, X509_STORE_CTX *store, X509 *leaf, struct arena *a)
{
	X509 *at = X509_STORE_CTX_get_current_cert(store);
	str issuer = of_name(a, X509_get_issuer_name(at == NULL ? leaf : at));

	buf_puts(b, "the certificate was issued by ");
	if (issuer.n > 0)
		buf_printf(b, "\"" STR_FMT "\", ", STR_ARG(str_take(issuer, 64)));
	buf_puts(b, "an authority that is not known here");
}

static void say_default(struct buf *b, X509_STORE_CTX *store, int error, struct arena *a)
{
	say_which(b, store, X509_STORE_CTX_get_current_cert(store), a);
	buf_printf(b, " does not hold: %s", X509_verify_cert_error_string(error));
}

static void say_time(struct buf *b, X509_STORE_CTX *store, int error, struct arena *a)
{
	X509 *which = X509_STORE_CTX_get_current_cert(store);

	say_which(b, store, which, a);
	if (error == X509_V_ERR_CERT_HAS_EXPIRED) {
		buf_puts(b, " expired on");
		say_date(b, which == NULL ? NULL : X509_get0_notAfter(which));
	} else {
		buf_puts(b, " is not good before");
		say_date(b, which == NULL ? NULL : X509_get0_notBefore(which));
	}
}

static void say(struct buf *b, X509_STORE_CTX *store, const struct tls_question *q)
{
	X509 *leaf = X509_STORE_CTX_get0_cert(store);
	int error = X509_STORE_CTX_get_error(store);

	switch (error) {
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		say_names(b, leaf, q->peer, q->memory);
		break;
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
		say_time(b, store, error, q->memory);
		break;
	case X509_V_ERR_DANE_NO_MATCH:
		buf_puts(b, "the certificate fits none of the TLSA records");
		break;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		buf_puts(b, "the certificate is signed by itself, by no authority that is known here");
		break;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
		say_issuer(b, store, leaf, q->memory);
		break;
	default:
		say_default(b, store, error, q->memory);
	}
}

static enum tls_fault fault_of(int error)
{
	switch (error) {
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		return TLS_FAULT_NAME;
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return TLS_FAULT_EXPIRED;
	case X509_V_ERR_DANE_NO_MATCH:
		return TLS_FAULT_TLSA;
	default:
		return TLS_FAULT_UNTRUSTED;
	}
}

int tls_verify(X509_STORE_CTX *store, struct tls_question *q)
{
	BUF(text, sizeof(err_info()->text));

	if (q->check == TLS_CHECK_NONE)
		return 1;
	if (X509_verify_cert(store) == 1)
		return 1;
	say(&text, store, q);
	q->fault = fault_of(X509_STORE_CTX_get_error(store));
	q->why = arena_str(q->memory, buf_str(&text));
	if (q->why.n == 0)
		q->why = STR("the certificate does not hold");
	if (!q->peer->lenient)
		return 0;
	ERR_clear_error();
	return 1;
}
