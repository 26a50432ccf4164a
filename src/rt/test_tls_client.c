/* SPDX-License-Identifier: ISC */
/* The client's side against the server's, both in one simulated loop, with certificates made here. */
#include "base/test.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "base/buf.h"
#include "rt/private_key.h"
#include "rt/tls.h"
#include "rt/tls_client.h"

#define SOON (rt_after(5 * NSEC_PER_SEC))
#define DAY  86400L

/* --- certificates --- */

struct identity {
	EVP_PKEY *key;
	X509 *cert;
};

/* What the test's servers have, and the authorities above them. */
enum { GOOD, EXPIRED, EARLY, WILD, PARTIAL, SELF, STRANGER, BELOW_STALE, NAMELESS, IDENTITIES };
static struct identity root, other_root, stale, made[IDENTITIES];
static struct buf root_pem, chains[IDENTITIES], keys_pem[IDENTITIES];
static struct private_key *keys[IDENTITIES];
static struct tls_client *client;

static void extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert_non_null(ext);
	X509_add_ext(cert, ext, -1);
	X509_EXTENSION_free(ext);
}

/* `names`: as OpenSSL's configuration has them, NULL: an authority. by NULL: itself. */
static struct identity make(const char *subject, const char *names, const struct identity *by, long from, long until)
{
	static long serial;
	struct identity id = {EVP_EC_gen("P-256"), X509_new()};
	X509 *issuer = by == NULL ? id.cert : by->cert;

	X509_set_version(id.cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(id.cert), ++serial);
	X509_gmtime_adj(X509_getm_notBefore(id.cert), from);
	X509_gmtime_adj(X509_getm_notAfter(id.cert), until);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(id.cert), "CN", MBSTRING_ASC, (const unsigned char *)subject,
	                           -1, -1, 0);
	X509_set_issuer_name(id.cert, X509_get_subject_name(issuer));
	X509_set_pubkey(id.cert, id.key);
	extend(id.cert, issuer, NID_basic_constraints, names == NULL ? "critical,CA:TRUE" : "critical,CA:FALSE");
	if (names != NULL && *names != '\0')
		extend(id.cert, issuer, NID_subject_alt_name, names);
	X509_sign(id.cert, by == NULL ? id.key : by->key, EVP_sha256());
	return id;
}

static void print(struct buf *out, X509 *cert, EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *p;

	if (cert != NULL)
		PEM_write_bio_X509(bio, cert);
	if (key != NULL)
		PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
	long n = BIO_get_mem_data(bio, &p);
	buf_put(out, str_make(p, (size_t)n));
	BIO_free(bio);
}

static void make_all(void)
{
	const char *names = "DNS:mx.example.com,DNS:mail.example.com,IP:192.0.2.7";

	root = make("Root of the Test", NULL, NULL, -DAY, DAY);
	other_root = make("Stranger", NULL, NULL, -DAY, DAY);
	stale = make("Stale", NULL, &root, -3 * DAY, -2 * DAY);
	made[GOOD] = make("mx.example.com", names, &root, -DAY, DAY);
	made[EXPIRED] = make("mx.example.com", names, &root, -3 * DAY, -2 * DAY);
	made[EARLY] = make("mx.example.com", names, &root, 2 * DAY, 3 * DAY);
	made[WILD] = make("wild", "DNS:*.example.com", &root, -DAY, DAY);
	made[PARTIAL] = make("partial", "DNS:m*.example.com", &root, -DAY, DAY);
	made[SELF] = make("mx.example.com", names, NULL, -DAY, DAY);
	made[STRANGER] = make("mx.example.com", names, &other_root, -DAY, DAY);
	made[BELOW_STALE] = make("mx.example.com", names, &stale, -DAY, DAY);
	made[NAMELESS] = make("mx.example.com", "", &root, -DAY, DAY);
}

static int begin(void **state)
{
	(void)state;
	make_all();
	root_pem = BUF_INIT(1 << 16);
	print(&root_pem, root.cert, NULL);
	for (size_t i = 0; i < IDENTITIES; i++) {
		chains[i] = keys_pem[i] = BUF_INIT(1 << 16);
		print(&chains[i], made[i].cert, NULL);
		if (i == STRANGER)
			print(&chains[i], other_root.cert, NULL);
		else if (i == BELOW_STALE)
			print(&chains[i], stale.cert, NULL);
		else if (i != SELF)
			print(&chains[i], root.cert, NULL);
		print(&keys_pem[i], NULL, made[i].key);
		if (private_key_read(buf_str(&keys_pem[i]), buf_str(&chains[i]), &keys[i]) != OK)
			return -1;
	}
	return 0;
}

static void forget(struct identity *id)
{
	EVP_PKEY_free(id->key);
	X509_free(id->cert);
}

static int end(void **state)
{
	(void)state;
	for (size_t i = 0; i < IDENTITIES; i++) {
		private_key_free(keys[i]);
		forget(&made[i]);
		buf_free(&chains[i]);
		buf_free(&keys_pem[i]);
	}
	forget(&root);
	forget(&other_root);
	forget(&stale);
	buf_free(&root_pem);
	return 0;
}

static int begin_one(void **state)
{
	(void)state;
	return tls_client_new(buf_str(&root_pem), &client) == OK ? 0 : -1;
}

static int end_one(void **state)
{
	(void)state;
	tls_client_free(client);
	client = NULL;
	return 0;
}

/* --- sessions --- */

static err sign(void *ctx, uint64_t key, enum tls_sign kind, str input, struct buf *out)
{
	(void)ctx;
	return private_key_sign(keys[key], kind, input, out);
}

struct scene {
	/* what is played */
	size_t server;
	struct tls_context *context; /* NULL: one of its own */
	struct tls_peer peer;
	bool torn;
	str before; /* said by the server in plaintext */
	/* what came of it, copied: compared after the loop, as cmocka leaves by longjmp */
	err result, server_result;
	struct err_info why;
	struct tls_proof proof;
	char version[16], subject[128], fingerprint[80], line[64], fault[180];
	bool bindings_equal, encrypted;
	int times;
	struct stream *s;
};

static struct tls_context *context(size_t server, str alpn)
{
	struct tls_certificate certificate = {buf_str(&chains[server]), STR_NONE, server};
	struct tls_context *c;

	assert_int_equal(tls_context_new(&(struct tls_options){.certificates = &certificate,
	                                                       .certificates_n = 1,
	                                                       .signer = sign,
	                                                       .alpn = alpn,
	                                                       .listener = STR("smtp")},
	                                 &c),
	                 OK);
	return c;
}

/* What the two channel bindings are, one after the other. */
static void bindings(const struct stream *s, struct buf *out)
{
	(void)!stream_tls_binding(s, "tls-exporter", out);
	(void)!stream_tls_binding(s, "tls-server-end-point", out);
}

static void server_run(void *arg)
{
	struct scene *scene = arg;
	str line;
	BUF(bound, 200);

	scene->server_result = stream_start_tls(scene->s, scene->context, SOON, STR("test"));
	bindings(scene->s, &bound);
	if (stream_read_line(scene->s, 100, &line, SOON) == OK) {
		stream_put(scene->s, line);
		stream_put(scene->s, buf_str(&bound));
		(void)!stream_flush(scene->s);
		(void)!stream_read_line(scene->s, 100, &line, SOON);
	}
	stream_close(scene->s);
}

static void copy(char *to, size_t size, str from)
{
	snprintf(to, size, STR_FMT, STR_ARG(from));
}

static void talk(struct scene *scene, struct stream *s)
{
	char there[200];
	str line;
	BUF(bound, 200);

	bindings(s, &bound);
	stream_put(s, STR("EHLO client.example.org\r\n"));
	if (stream_read_line(s, 100, &line, SOON) != OK)
		return;
	copy(scene->line, sizeof(scene->line), line);
	scene->bindings_equal = bound.n == 64 && stream_read(s, there, bound.n, SOON) == OK &&
	                        str_equal(str_make(there, bound.n), buf_str(&bound));
}

static void client_run(void *arg)
{
	struct scene *scene = arg;
	struct stream *s;
	str seen;

	if (!stream_pair(&s, &scene->s, 64 << 10, scene->torn))
		return;
	if (scene->before.n > 0) {
		stream_put(scene->s, scene->before);
		(void)!stream_flush(scene->s);
		(void)!stream_peek(s, &seen, SOON);
	}
	rt_spawn(server_run, scene, "server");
	scene->result = stream_start_tls_client(s, client, &scene->peer, SOON, &scene->proof);
	scene->why = *err_info();
	copy(scene->version, sizeof(scene->version), scene->proof.version);
	copy(scene->subject, sizeof(scene->subject), scene->proof.subject);
	copy(scene->fingerprint, sizeof(scene->fingerprint), scene->proof.fingerprint);
	copy(scene->fault, sizeof(scene->fault), scene->proof.fault_text);
	scene->encrypted = stream_is_tls(s);
	if (scene->result == OK)
		talk(scene, s);
	stream_close(s);
	while (rt_count() > 1)
		(void)!rt_sleep_until(rt_after(NSEC_PER_MSEC));
}

static void play(struct scene *scene)
{
	bool own = scene->context == NULL;

	if (own)
		scene->context = context(scene->server, STR_NONE);
	assert_int_equal(rt_run_simulated(7, client_run, scene), OK);
	if (own) {
		tls_context_release(scene->context);
		scene->context = NULL;
	}
}

static void play_good(struct scene *scene)
{
	play(scene);
	if (scene->result != OK)
		fail_msg("%s: %s", err_name(scene->result), scene->why.text);
	assert_string_equal(scene->line, "EHLO client.example.org\r\n");
	assert_true(scene->bindings_equal);
	assert_true(scene->encrypted);
}

static void play_bad(struct scene *scene, err want, const char *why)
{
	play(scene);
	assert_int_equal(scene->result, want);
	assert_string_equal(scene->why.text, why);
	assert_string_equal(scene->line, "");
	assert_false(scene->encrypted);
}

/* --- nothing is checked --- */

static void test_any_certificate(void **state)
{
	(void)state;
	for (size_t i = 0; i < IDENTITIES; i++) {
		struct scene s = {.server = i, .peer = {.server_name = STR("mx.example.com")}, .torn = i % 2 == 0};

		play_good(&s);
		assert_string_equal(s.version, "TLSv1.3");
		assert_int_equal(s.proof.checked, TLS_CHECK_NONE);
		assert_int_equal(strlen(s.fingerprint), 64);
	}
}

static void test_what_was_said_before_is_thrown_away(void **state)
{
	(void)state;
	play_good(&(struct scene){.before = STR("250 injected\r\n")});
}

/* --- names and authorities --- */

static const str mx[] = {{"mx.example.com", 14}}, other[] = {{"other.example.net", 17}, {"nothing.example.org", 19}};

static struct tls_peer named(const str *names, size_t n)
{
	return (struct tls_peer){.server_name = names[0], .check = TLS_CHECK_NAME, .names = names, .names_n = n};
}

static void good_name(size_t server, const str *names, size_t n, const char *subject)
{
	struct scene s = {.server = server, .peer = named(names, n)};

	play_good(&s);
	assert_int_equal(s.proof.checked, TLS_CHECK_NAME);
	assert_string_equal(s.subject, subject);
}

static void bad_name(size_t server, const str *names, size_t n, const char *why)
{
	play_bad(&(struct scene){.server = server, .peer = named(names, n)}, E_DENIED, why);
}

static void test_name_holds(void **state)
{
	const str several[] = {STR("other.example.net"), STR("mail.example.com")}, wild[] = {STR("*.example.com")},
		  address[] = {STR("192.0.2.7")};

	(void)state;
	good_name(GOOD, address, 1, "192.0.2.7");
	good_name(GOOD, mx, 1, "mx.example.com");
	good_name(GOOD, several, 2, "mail.example.com");
	good_name(GOOD, wild, 1, "mx.example.com");
	good_name(WILD, mx, 1, "*.example.com");
	good_name(WILD, wild, 1, "*.example.com");
}

static void test_name_does_not_hold(void **state)
{
	const str deep[] = {STR("a.mx.example.com")}, above[] = {STR("*.com")}, bare[] = {STR("example.com")},
		  address[] = {STR("192.0.2.1")};

	(void)state;
	bad_name(GOOD, other, 2, "the certificate is for mx.example.com, mail.example.com, not for other.example.net");
	bad_name(WILD, deep, 1, "the certificate is for *.example.com, not for a.mx.example.com");
	bad_name(WILD, bare, 1, "the certificate is for *.example.com, not for example.com");
	bad_name(GOOD, above, 1, "the certificate is for mx.example.com, mail.example.com, not for *.com");
	bad_name(GOOD, address, 1, "the certificate is for mx.example.com, mail.example.com, not for 192.0.2.1");
	bad_name(PARTIAL, mx, 1, "the certificate is for m*.example.com, not for mx.example.com");
	bad_name(NAMELESS, mx, 1, "the certificate is for no host name, not for mx.example.com");
}

static void test_authority_does_not_hold(void **state)
{
	(void)state;
	bad_name(SELF, mx, 1, "the certificate is signed by itself, by no authority that is known here");
	bad_name(STRANGER, mx, 1, "the certificate was issued by \"Stranger\", an authority that is not known here");
}

static void test_dates(void **state)
{
	char expired[100], early[100], stale_text[100];
	struct tm tm;

	(void)state;
	ASN1_TIME_to_tm(X509_get0_notAfter(made[EXPIRED].cert), &tm);
	strftime(expired, sizeof(expired), "the certificate expired on %Y-%m-%d", &tm);
	strftime(stale_text, sizeof(stale_text), "the certificate of the authority \"Stale\" expired on %Y-%m-%d", &tm);
	ASN1_TIME_to_tm(X509_get0_notBefore(made[EARLY].cert), &tm);
	strftime(early, sizeof(early), "the certificate is not good before %Y-%m-%d", &tm);
	bad_name(EXPIRED, mx, 1, expired);
	bad_name(EARLY, mx, 1, early);
	bad_name(BELOW_STALE, mx, 1, stale_text);
}

static const enum tls_fault faults[IDENTITIES] = {
	[EXPIRED] = TLS_FAULT_EXPIRED, [EARLY] = TLS_FAULT_EXPIRED,      [PARTIAL] = TLS_FAULT_NAME,
	[SELF] = TLS_FAULT_UNTRUSTED,  [STRANGER] = TLS_FAULT_UNTRUSTED, [BELOW_STALE] = TLS_FAULT_EXPIRED,
	[NAMELESS] = TLS_FAULT_NAME};

static void test_kinds_of_faults(void **state)
{
	(void)state;
	for (size_t i = 0; i < IDENTITIES; i++) {
		struct scene s = {.server = i, .peer = named(mx, 1)};

		play(&s);
		assert_int_equal(s.result, faults[i] == TLS_FAULT_NONE ? OK : E_DENIED);
		assert_int_equal(s.proof.fault, faults[i]);
	}
}

/* It is looked at, and taken, however often the server is met. */
static void test_lenient(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * IDENTITIES; i++) {
		struct scene s = {.server = i % IDENTITIES, .peer = named(mx, 1)};
		enum tls_fault fault = faults[i % IDENTITIES];

		s.peer.lenient = true;
		play_good(&s);
		assert_int_equal(s.proof.fault, fault);
		assert_int_equal(s.proof.checked, fault == TLS_FAULT_NONE ? TLS_CHECK_NAME : TLS_CHECK_NONE);
		assert_true((s.fault[0] == '\0') == (fault == TLS_FAULT_NONE));
		assert_false(s.proof.resumed);
	}
}

static void test_a_name_is_wanted(void **state)
{
	(void)state;
	play_bad(&(struct scene){.peer = {.server_name = mx[0], .check = TLS_CHECK_NAME}}, E_SYNTAX,
	         "no name that the certificate is to be checked for");
	play_bad(&(struct scene){.peer = {.server_name = mx[0], .check = TLS_CHECK_DANE}}, E_SYNTAX,
	         "no name that the certificate is to be checked for");
}

static void test_authorities(void **state)
{
	struct tls_client *c;

	(void)state;
	assert_int_equal(tls_client_new(STR("no certificate"), &c), E_SYNTAX);
	assert_null(c);
	assert_int_equal(tls_client_new(STR_NONE, &c), OK); /* the system's */
	tls_client_free(c);
	/* Something spoiled among them takes the others nothing. */
	BUF(some, 1 << 16);
	buf_puts(&some, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
	buf_put(&some, buf_str(&root_pem));
	tls_client_free(client);
	assert_int_equal(tls_client_new(buf_str(&some), &client), OK);
	good_name(GOOD, mx, 1, "mx.example.com");
}

/* --- DANE --- */

struct record {
	struct tls_tlsa tlsa;
	unsigned char data[2048];
};

/* What a TLSA record says of a certificate (RFC 6698 2.1). */
static void record(struct record *r, uint8_t usage, uint8_t selector, uint8_t matching, X509 *cert)
{
	unsigned char *der = NULL;
	int n = selector == 0 ? i2d_X509(cert, &der) : i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
	unsigned size = (unsigned)n;

	if (matching == 0)
		memcpy(r->data, der, size);
	else
		EVP_Digest(der, (size_t)n, r->data, &size, matching == 1 ? EVP_sha256() : EVP_sha512(), NULL);
	OPENSSL_free(der);
	r->tlsa = (struct tls_tlsa){usage, selector, matching, str_make((const char *)r->data, size)};
}

static struct tls_peer dane(const struct tls_tlsa *tlsa, size_t n)
{
	return (struct tls_peer){
		.server_name = mx[0], .check = TLS_CHECK_DANE, .names = mx, .names_n = 1, .tlsa = tlsa, .tlsa_n = n};
}

static void dane_good(size_t server, uint8_t usage, uint8_t selector, uint8_t matching, X509 *of)
{
	struct record r;

	record(&r, usage, selector, matching, of);
	struct scene s = {.server = server, .peer = dane(&r.tlsa, 1)};
	play_good(&s);
	assert_int_equal(s.proof.checked, TLS_CHECK_DANE);
	assert_false(s.proof.unusable);
}

static void dane_bad(size_t server, uint8_t usage, uint8_t selector, uint8_t matching, X509 *of, const char *why)
{
	struct record r;

	record(&r, usage, selector, matching, of);
	play_bad(&(struct scene){.server = server, .peer = dane(&r.tlsa, 1)}, E_DENIED, why);
}

static void test_dane_end_entity(void **state)
{
	(void)state;
	for (uint8_t selector = 0; selector < 2; selector++)
		for (uint8_t matching = 0; matching < 3; matching++)
			dane_good(GOOD, 3, selector, matching, made[GOOD].cert);
	/* RFC 7672 3.1.1: neither name nor date nor authority. */
	dane_good(EXPIRED, 3, 1, 1, made[EXPIRED].cert);
	dane_good(SELF, 3, 1, 1, made[SELF].cert);
	dane_good(WILD, 3, 1, 1, made[WILD].cert);
	dane_good(NAMELESS, 3, 0, 2, made[NAMELESS].cert);
}

static void test_dane_trust_anchor(void **state)
{
	(void)state;
	for (uint8_t selector = 0; selector < 2; selector++)
		for (uint8_t matching = 0; matching < 3; matching++)
			dane_good(GOOD, 2, selector, matching, root.cert);
	dane_good(STRANGER, 2, 1, 2, other_root.cert);
	dane_good(NAMELESS, 2, 0, 1, root.cert); /* RFC 7672 3.2.3: a common name will do */
}

static void test_dane_mismatch(void **state)
{
	const char *fits_none = "the certificate fits none of the TLSA records";

	(void)state;
	dane_bad(GOOD, 3, 1, 1, made[SELF].cert, fits_none);
	dane_bad(GOOD, 3, 0, 1, root.cert, fits_none);
	dane_bad(GOOD, 2, 0, 1, other_root.cert, fits_none);
	dane_bad(STRANGER, 2, 0, 1, root.cert, fits_none);
}

static void test_dane_mismatch_is_a_kind_of_fault(void **state)
{
	struct record r;

	(void)state;
	record(&r, 3, 1, 1, made[SELF].cert);
	struct scene s = {.server = GOOD, .peer = dane(&r.tlsa, 1)};
	play(&s);
	assert_int_equal(s.result, E_DENIED);
	assert_int_equal(s.proof.fault, TLS_FAULT_TLSA);
}

static void test_dane_trust_anchor_wants_name_and_date(void **state)
{
	char expired[100];
	struct tm tm;
	struct record r;

	(void)state;
	ASN1_TIME_to_tm(X509_get0_notAfter(made[EXPIRED].cert), &tm);
	strftime(expired, sizeof(expired), "the certificate expired on %Y-%m-%d", &tm);
	dane_bad(EXPIRED, 2, 0, 1, root.cert, expired);
	record(&r, 2, 0, 1, root.cert);
	struct scene s = {.server = GOOD, .peer = dane(&r.tlsa, 1)};
	s.peer.names = other;
	play_bad(&s, E_DENIED, "the certificate is for mx.example.com, mail.example.com, not for other.example.net");
}

static void test_dane_one_of_several(void **state)
{
	struct record wrong, right;

	(void)state;
	record(&wrong, 3, 1, 1, made[SELF].cert);
	record(&right, 3, 1, 1, made[GOOD].cert);
	const struct tls_tlsa both[] = {{0, 0, 1, STR("unusable")}, wrong.tlsa, right.tlsa};
	struct scene s = {.server = GOOD, .peer = dane(both, 3)};
	play_good(&s);
	assert_int_equal(s.proof.checked, TLS_CHECK_DANE);
}

/* RFC 7672 2.1, 3.1.3: usages 0 and 1, unknown digests and what is no digest; the certificate is not looked at. */
static void test_dane_unusable(void **state)
{
	static const char digest[32];
	str d = str_make(digest, 32);
	const struct tls_tlsa none[] = {
		{0, 0, 1, d}, {1, 1, 1, d},        {3, 1, 9, d}, {3, 1, 1, STR("short")},
		{3, 7, 1, d}, {3, 1, 1, STR_NONE}, {9, 1, 1, d}, {2, 0, 0, STR("no certificate")}};

	(void)state;
	for (size_t i = 0; i <= ARRAY_LEN(none); i++) {
		struct scene s = {.server = STRANGER, .peer = dane(none, ARRAY_LEN(none))};

		if (i < ARRAY_LEN(none))
			s.peer = dane(&none[i], 1);
		play_good(&s);
		assert_int_equal(s.proof.checked, TLS_CHECK_NONE);
		assert_true(s.proof.unusable);
	}
}

/* --- sessions are resumed --- */

static void play_at(struct tls_context *c, const struct tls_peer *peer, bool resumed)
{
	struct scene s = {.context = c, .peer = *peer};

	play_good(&s);
	assert_int_equal(s.proof.resumed, resumed);
	assert_int_equal(s.proof.checked, peer->check);
	assert_string_equal(s.subject, "mx.example.com");
	assert_int_equal(strlen(s.fingerprint), 64);
}

static void test_session_is_for_the_same_question(void **state)
{
	struct tls_context *c = context(GOOD, STR_NONE);
	struct record anchor, leaf;
	const str two[] = {mx[0], STR("mail.example.com")};

	(void)state;
	record(&anchor, 2, 0, 1, root.cert);
	record(&leaf, 3, 1, 1, made[GOOD].cert);
	const struct tls_peer questions[] = {{.server_name = mx[0]}, named(mx, 1),
	                                     named(two, 2),          dane(&anchor.tlsa, 1),
	                                     dane(&leaf.tlsa, 1),    {.server_name = mx[0], .alpn = STR("smtp")}};

	for (size_t i = 0; i < ARRAY_LEN(questions); i++)
		play_at(c, &questions[i], false);
	for (size_t i = 0; i < ARRAY_LEN(questions); i++)
		play_at(c, &questions[i], true);
	tls_context_release(c);
}

static void test_session_without_a_name_is_forgotten(void **state)
{
	struct tls_context *c = context(GOOD, STR_NONE);

	(void)state;
	play_at(c, &(struct tls_peer){0}, false);
	play_at(c, &(struct tls_peer){0}, false);
	tls_context_release(c);
}

/* What a session proves is looked at again after an hour, however often it was resumed. */
static void resume_for_long(void *arg)
{
	struct scene *scene = arg;

	scene->times = 0;
	for (int minutes = 0; minutes <= 70; minutes += 10) {
		struct scene one = {.context = scene->context, .peer = {.server_name = mx[0]}};

		client_run(&one);
		scene->times += one.proof.resumed;
		(void)!rt_sleep_until(rt_after(600 * NSEC_PER_SEC));
	}
}

static void test_session_ages(void **state)
{
	struct scene s = {.context = context(GOOD, STR_NONE)};

	(void)state;
	assert_int_equal(rt_run_simulated(7, resume_for_long, &s), OK);
	assert_int_equal(s.times, 6); /* not the first, not that after 60 minutes */
	tls_context_release(s.context);
}

static void resume_many(void *arg)
{
	struct scene *scene = arg;
	char name[32];

	for (int i = 0; i < 260; i++) {
		snprintf(name, sizeof(name), "mx%d.example.com", i % 130);
		struct scene one = {.context = scene->context, .peer = {.server_name = str_from(name)}};
		client_run(&one);
		scene->times += one.proof.resumed;
		(void)!rt_sleep_until(rt_after(NSEC_PER_SEC));
	}
}

static void test_cache_is_bounded(void **state)
{
	struct scene s = {.context = context(GOOD, STR_NONE)};

	(void)state;
	assert_int_equal(rt_run_simulated(7, resume_many, &s), OK);
	assert_int_equal(s.times, 0); /* the oldest ones made room */
	tls_context_release(s.context);
}

static void test_alpn(void **state)
{
	struct scene same = {.peer.alpn = STR("smtp"), .context = context(GOOD, STR("smtp"))},
		     other_name = {.peer.alpn = STR("h2"), .context = same.context};

	(void)state;
	play_good(&same);
	play_bad(&other_name, E_SYNTAX, "the server refused the TLS handshake: no application protocol");
	tls_context_release(same.context);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin_one, end_one)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_any_certificate),
		TEST(test_what_was_said_before_is_thrown_away),
		TEST(test_name_holds),
		TEST(test_name_does_not_hold),
		TEST(test_authority_does_not_hold),
		TEST(test_dates),
		TEST(test_kinds_of_faults),
		TEST(test_lenient),
		TEST(test_a_name_is_wanted),
		TEST(test_authorities),
		TEST(test_dane_end_entity),
		TEST(test_dane_trust_anchor),
		TEST(test_dane_mismatch),
		TEST(test_dane_mismatch_is_a_kind_of_fault),
		TEST(test_dane_trust_anchor_wants_name_and_date),
		TEST(test_dane_one_of_several),
		TEST(test_dane_unusable),
		TEST(test_session_is_for_the_same_question),
		TEST(test_session_without_a_name_is_forgotten),
		TEST(test_session_ages),
		TEST(test_cache_is_bounded),
		TEST(test_alpn),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
