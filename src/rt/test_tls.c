/* SPDX-License-Identifier: ISC */
/* The server's side against OpenSSL as client, both in one simulated loop. */
#include "base/test.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "rt/private_key.h"
#include "rt/tls.h"
#include "rt/transport.h"

#define SOON (rt_after(5 * NSEC_PER_SEC))

enum { KEYS = 3 };

/* 0: ECDSA for mail.example.org, 1: RSA for the same, 2: ECDSA for other.example.net */
static struct buf chains[KEYS], pems[KEYS];
static struct private_key *keys[KEYS];

enum signing { SIGN_AT_ONCE, SIGN_LATER, SIGN_NEVER };

/* One session: what is asked for, and what came of it. Compared after the loop, as cmocka leaves by longjmp. */
struct scene {
	/* the server */
	struct tls_context *context;
	bool torn;
	str garbage; /* instead of a client hello */
	/* the client */
	const char *sni, *ciphers, *sigalgs;
	const unsigned char *alpn;
	unsigned alpn_n;
	int version_max;
	SSL_SESSION *resume;
	bool ask_status;
	bool has_certificate; /* that of other.example.net */
	str injected;         /* plaintext that is there before the handshake */
	bool speak_first;     /* the server does, when the handshake is over */
	bool finish;          /* the server ends its output, and hears the client's end before it closes */
	/* what came of it */
	err result;
	struct err_info why;
	size_t writes; /* of the server, until it has spoken first */
	bool connected, resumed, can_bind, binding_equal, plain_seen, notified;
	SSL_SESSION *session;
	struct buf got; /* what the client read */
	char version[16], cipher[64], name[64], subject[64], stapled[16], fingerprint[80];
	bool certificate_ok;
	int key_kind;
};

static enum signing signing;
static size_t signatures;

static err test_signer(void *ctx, uint64_t key, enum tls_sign kind, str input, struct buf *out)
{
	(void)ctx;
	signatures++;
	if (signing == SIGN_NEVER)
		return err_note(E_TEMP, "nobody signs");
	if (signing == SIGN_LATER && rt_sleep_until(rt_after(NSEC_PER_SEC)) != OK)
		return E_CANCELLED;
	return private_key_sign(keys[key], kind, input, out);
}

static struct tls_context *context_asking(const char *listener, str alpn, bool ask_certificate)
{
	struct tls_certificate certificates[KEYS];
	struct tls_context *c;

	for (size_t i = 0; i < KEYS; i++)
		certificates[i] = (struct tls_certificate){buf_str(&chains[i]), i == 2 ? STR("staple") : STR_NONE, i};
	assert_int_equal(tls_context_new(&(struct tls_options){.certificates = certificates,
	                                                       .certificates_n = KEYS,
	                                                       .signer = test_signer,
	                                                       .alpn = alpn,
	                                                       .listener = str_from(listener),
	                                                       .ask_certificate = ask_certificate},
	                                 &c),
	                 OK);
	return c;
}

static struct tls_context *context(const char *listener, str alpn)
{
	return context_asking(listener, alpn, false);
}

/* --- the client --- */

static bool client_push(SSL *ssl, struct stream *s)
{
	char *p;
	BIO *out = SSL_get_wbio(ssl);
	long n = BIO_get_mem_data(out, &p);

	if (n > 0)
		stream_put(s, str_make(p, (size_t)n));
	(void)BIO_reset(out);
	return stream_flush(s) == OK;
}

static bool client_pull(SSL *ssl, struct stream *s)
{
	str bytes;

	if (stream_peek(s, &bytes, SOON) != OK)
		return false;
	BIO_write(SSL_get_rbio(ssl), bytes.p, (int)bytes.n);
	stream_consume(s, bytes.n);
	return true;
}

static bool client_connect(SSL *ssl, struct stream *s)
{
	for (;;) {
		int n = SSL_connect(ssl);

		if (!client_push(ssl, s))
			return false;
		if (n == 1)
			return true;
		if (SSL_get_error(ssl, n) != SSL_ERROR_WANT_READ || !client_pull(ssl, s))
			return false;
	}
}

/* Sends a line and reads what comes until the other side closes. */
static void client_talk(struct scene *scene, SSL *ssl, struct stream *s)
{
	char bytes[4096];
	int n;

	SSL_write(ssl, "hello\r\n", 7);
	if (!client_push(ssl, s))
		return;
	for (;;) {
		while ((n = SSL_read(ssl, bytes, sizeof(bytes))) > 0)
			buf_put(&scene->got, str_make(bytes, (size_t)n));
		if (SSL_get_error(ssl, n) != SSL_ERROR_WANT_READ || !client_pull(ssl, s))
			return;
	}
}

static void note_peer(struct scene *scene, SSL *ssl)
{
	X509 *cert = SSL_get0_peer_certificate(ssl);
	const unsigned char *staple;
	long n = SSL_get_tlsext_status_ocsp_resp(ssl, &staple);

	scene->key_kind = EVP_PKEY_get_base_id(X509_get0_pubkey(cert));
	X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, scene->subject, sizeof(scene->subject));
	if (n > 0 && n < (long)sizeof(scene->stapled))
		memcpy(scene->stapled, staple, (size_t)n);
	scene->resumed = SSL_session_reused(ssl);
}

static void use_certificate(SSL_CTX *ctx)
{
	BIO *pem = BIO_new_mem_buf(pems[2].p, (int)pems[2].n), *chain = BIO_new_mem_buf(chains[2].p, (int)chains[2].n);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(pem, NULL, NULL, NULL);
	X509 *cert = PEM_read_bio_X509(chain, NULL, NULL, NULL);

	SSL_CTX_use_cert_and_key(ctx, cert, key, NULL, 1);
	EVP_PKEY_free(key);
	X509_free(cert);
	BIO_free(pem);
	BIO_free(chain);
}

static SSL *client_new(const struct scene *scene)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (scene->has_certificate)
		use_certificate(ctx);
	SSL *ssl = SSL_new(ctx);

	SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	if (scene->sni)
		SSL_set_tlsext_host_name(ssl, scene->sni);
	if (scene->ciphers)
		SSL_set_cipher_list(ssl, scene->ciphers);
	if (scene->sigalgs)
		SSL_set1_sigalgs_list(ssl, scene->sigalgs);
	if (scene->alpn)
		SSL_set_alpn_protos(ssl, scene->alpn, scene->alpn_n);
	if (scene->version_max)
		SSL_set_max_proto_version(ssl, scene->version_max);
	if (scene->resume)
		SSL_set_session(ssl, scene->resume);
	if (scene->ask_status)
		SSL_set_tlsext_status_type(ssl, TLSEXT_STATUSTYPE_ocsp);
	SSL_CTX_free(ctx);
	return ssl;
}

struct client {
	struct scene *scene;
	struct stream *s;
	struct buf binding;
};

static void client_run(void *arg)
{
	struct client *c = arg;
	struct scene *scene = c->scene;
	SSL *ssl = client_new(scene);
	char exported[32];

	if (scene->garbage.n > 0) {
		stream_put(c->s, scene->garbage);
		(void)!stream_flush(c->s);
	} else if (client_connect(ssl, c->s)) {
		scene->connected = true;
		note_peer(scene, ssl);
		if (SSL_export_keying_material(ssl, (unsigned char *)exported, sizeof(exported),
		                               "EXPORTER-Channel-Binding", 24, NULL, 0, 0) == 1)
			buf_put(&c->binding, str_make(exported, sizeof(exported)));
		client_talk(scene, ssl, c->s);
		scene->notified = (SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN) != 0;
		scene->session = SSL_get1_session(ssl);
		SSL_shutdown(ssl);
	}
	SSL_free(ssl);
	stream_close(c->s);
}

/* --- the server --- */

/* A transport that counts what is written. */
struct counted {
	struct carrier under;
	size_t *writes;
};

static ssize_t counted_read(void *transport, char *p, size_t n)
{
	struct counted *t = transport;
	return t->under.ops->read(t->under.t, p, n);
}

static ssize_t counted_write(void *transport, const char *p, size_t n)
{
	struct counted *t = transport;
	++*t->writes;
	return t->under.ops->write(t->under.t, p, n);
}

static err counted_wait_readable(void *transport, nsec deadline)
{
	struct counted *t = transport;
	return t->under.ops->wait_readable(t->under.t, deadline);
}

static err counted_wait_writable(void *transport, nsec deadline)
{
	struct counted *t = transport;
	return t->under.ops->wait_writable(t->under.t, deadline);
}

static void counted_close(void *transport)
{
	struct counted *t = transport;
	t->under.ops->close(t->under.t);
	free(t);
}

static void count_writes(struct stream *s, size_t *writes)
{
	static const struct transport counted = {counted_read,          counted_write, counted_wait_readable,
	                                         counted_wait_writable, counted_close, NULL};
	struct counted *t = calloc(1, sizeof(*t));

	if (t == NULL)
		abort();
	*t = (struct counted){stream_carrier(s), writes};
	stream_set_carrier(s, (struct carrier){&counted, t});
}

static void note(struct scene *scene, struct stream *s, struct client *c)
{
	struct tls_info info = stream_tls_info(s);
	BUF(binding, 64);

	snprintf(scene->version, sizeof(scene->version), STR_FMT, STR_ARG(info.version));
	snprintf(scene->cipher, sizeof(scene->cipher), STR_FMT, STR_ARG(info.cipher));
	snprintf(scene->name, sizeof(scene->name), STR_FMT, STR_ARG(info.server_name));
	snprintf(scene->fingerprint, sizeof(scene->fingerprint), STR_FMT, STR_ARG(info.client_fingerprint));
	scene->certificate_ok = info.client_certificate_ok;
	scene->can_bind = stream_tls_can_bind(s);
	bool there = stream_tls_binding(s, "tls-exporter", &binding);
	str line;
	scene->plain_seen = stream_read_line(s, 100, &line, SOON) == OK && !str_equal(line, STR("hello\r\n"));
	scene->binding_equal = there && str_equal(buf_str(&binding), buf_str(&c->binding));
}

static void finish(struct stream *s)
{
	str unheard;

	if (stream_finish(s) == OK)
		(void)!stream_peek(s, &unheard, SOON);
	stream_put(s, STR("too late\r\n"));
	(void)!stream_flush(s);
}

static void server_run(void *arg)
{
	struct scene *scene = arg;
	struct client client = {.scene = scene, .binding = BUF_INIT(64)};
	struct stream *s;
	size_t writes = 0;

	if (!stream_pair(&s, &client.s, 64 << 10, scene->torn))
		return;
	if (scene->injected.n > 0) {
		stream_put(client.s, scene->injected);
		(void)!stream_flush(client.s);
		str seen;
		(void)!stream_peek(s, &seen, SOON);
	}
	if (scene->speak_first)
		count_writes(s, &writes);
	rt_spawn(client_run, &client, "client");
	scene->result = stream_start_tls(s, scene->context, SOON, STR("test"));
	scene->why = *err_info();
	if (scene->result == OK) {
		if (scene->speak_first)
			stream_put(s, STR("220 hello\r\n"));
		(void)!stream_flush(s);
		scene->writes = writes;
		note(scene, s, &client);
		for (int i = 0; i < 20000; i++)
			stream_printf(s, "%06d\r\n", i);
		if (scene->finish)
			finish(s);
		else
			(void)!stream_flush(s);
	}
	stream_close(s);
	while (rt_count() > 1)
		(void)!rt_sleep_until(rt_after(NSEC_PER_MSEC));
	buf_free(&client.binding);
}

static void play(struct scene *scene)
{
	scene->got = BUF_INIT(1 << 20);
	assert_int_equal(rt_run_simulated(7, server_run, scene), OK);
}

static void forget(struct scene *scene)
{
	buf_free(&scene->got);
	SSL_SESSION_free(scene->session);
	scene->session = NULL;
}

/* Plays it with a context for smtp, and expects a session. */
static void play_good(struct scene *scene)
{
	scene->context = context("smtp", STR("smtp"));
	play(scene);
	tls_context_release(scene->context);
	if (scene->result != OK)
		fail_msg("%s", scene->why.text);
	assert_true(scene->connected);
	assert_int_equal(scene->got.n, 20000 * 8);
	assert_true(scene->notified);
	forget(scene);
}

static void play_bad(struct scene *scene, err want)
{
	scene->context = context("smtp", STR("smtp"));
	play(scene);
	tls_context_release(scene->context);
	assert_int_equal(scene->result, want);
	assert_false(scene->connected);
	forget(scene);
}

/* --- tests --- */

static void test_handshake(void **state)
{
	struct scene s = {.sni = "mail.example.org"};

	(void)state;
	play_good(&s);
	assert_string_equal(s.version, "TLSv1.3");
	assert_string_equal(s.name, "mail.example.org");
	assert_int_equal(s.key_kind, EVP_PKEY_EC);
	assert_true(s.can_bind && s.binding_equal);
	assert_int_equal(signatures, 1);
}

static void test_parked_signer_and_torn_records(void **state)
{
	(void)state;
	signing = SIGN_LATER;
	play_good(&(struct scene){.torn = true});
	play_good(&(struct scene){.torn = true, .finish = true});
	play_good(&(struct scene){.finish = true, .version_max = TLS1_2_VERSION});
	play_good(&(struct scene){.torn = true, .version_max = TLS1_2_VERSION});
}

/* The server's messages are one write; the ticket leaves with what is said next. */
static void test_few_segments(void **state)
{
	struct scene s = {.speak_first = true, .context = context("smtp", STR("smtp"))};

	(void)state;
	play(&s);
	tls_context_release(s.context);
	assert_int_equal(s.result, OK);
	assert_int_equal(s.writes, 2);
	assert_true(str_starts(buf_str(&s.got), STR("220 hello\r\n000000\r\n")));
	assert_non_null(s.session);
	assert_true(SSL_SESSION_has_ticket(s.session));
	forget(&s);
}

static void test_tls_1_2(void **state)
{
	struct scene s = {.version_max = TLS1_2_VERSION};

	(void)state;
	play_good(&s);
	assert_string_equal(s.version, "TLSv1.2");
	assert_string_equal(s.cipher, "ECDHE-ECDSA-AES256-GCM-SHA384");
	play_bad(&(struct scene){.version_max = TLS1_1_VERSION, .ciphers = "DEFAULT@SECLEVEL=0"}, E_SYNTAX);
}

static void test_rsa_beside_ecdsa(void **state)
{
	struct scene pss = {.sigalgs = "RSA-PSS+SHA256"},
		     pkcs1 = {.version_max = TLS1_2_VERSION, .sigalgs = "RSA+SHA256"};

	(void)state;
	play_good(&pss);
	assert_int_equal(pss.key_kind, EVP_PKEY_RSA);
	play_good(&pkcs1);
	assert_int_equal(pkcs1.key_kind, EVP_PKEY_RSA);
}

static void test_rsa_is_never_asked_to_decrypt(void **state)
{
	(void)state;
	play_bad(&(struct scene){.version_max = TLS1_2_VERSION, .ciphers = "AES128-GCM-SHA256"}, E_SYNTAX);
}

static void test_certificate_by_name(void **state)
{
	struct scene s = {.sni = "other.example.net", .ask_status = true},
		     unknown = {.sni = "unknown.example.net", .ask_status = true};

	(void)state;
	play_good(&s);
	assert_string_equal(s.subject, "other.example.net");
	assert_string_equal(s.stapled, "staple");
	play_good(&unknown);
	assert_string_equal(unknown.subject, "mail.example.org");
	assert_string_equal(unknown.stapled, "");
}

static void test_wrong_protocol_is_refused(void **state)
{
	static const unsigned char http[] = "\2h2\10http/1.1", both[] = "\10http/1.1\4smtp";

	(void)state;
	play_bad(&(struct scene){.alpn = http, .alpn_n = sizeof(http) - 1}, E_SYNTAX);
	play_good(&(struct scene){.alpn = both, .alpn_n = sizeof(both) - 1});
}

static void test_no_signature(void **state)
{
	(void)state;
	signing = SIGN_NEVER;
	play_bad(&(struct scene){.sni = "mail.example.org"}, E_TEMP);
	play_bad(&(struct scene){.sigalgs = "RSA-PSS+SHA256"}, E_TEMP);
}

static void test_garbage(void **state)
{
	(void)state;
	play_bad(&(struct scene){.garbage = STR("EHLO client.example.org\r\nMAIL FROM:<>\r\n")}, E_SYNTAX);
	play_bad(&(struct scene){.garbage = str_make("\26\3\1\2\0\1\0\1\374\3\3", 11)}, E_CLOSED);
	play_bad(&(struct scene){.garbage = str_make("\26\3\1\0\4\1\0\0\0", 9)}, E_SYNTAX);
}

/* RFC 3207 6: what was said in plaintext before the handshake is not heard after it. */
static void test_injected_plaintext_is_thrown_away(void **state)
{
	struct scene s = {.injected = STR("MAIL FROM:<evil@example.net>\r\n")};

	(void)state;
	play_good(&s);
	assert_false(s.plain_seen);
}

static void play_with(struct tls_context *c, struct scene *s)
{
	s->context = c;
	play(s);
	assert_int_equal(s->result, OK);
	assert_int_equal(s->got.n, 20000 * 8);
}

static void test_tickets_belong_to_their_listener(void **state)
{
	struct tls_context *smtp = context("smtp", STR_NONE), *pop3 = context("pop3", STR_NONE);

	(void)state;
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		struct scene first = {.version_max = version}, again = first, elsewhere = first;

		play_with(smtp, &first);
		assert_false(first.resumed);
		again.resume = elsewhere.resume = first.session;
		play_with(smtp, &again);
		assert_true(again.resumed);
		play_with(pop3, &elsewhere);
		assert_false(elsewhere.resumed);
		forget(&first);
		forget(&again);
		forget(&elsewhere);
	}
	tls_context_release(smtp);
	tls_context_release(pop3);
}

/* The fingerprint as `openssl x509 -fingerprint -sha256` has it, in lower case without the colons. */
static void fingerprint_of(size_t i, char out[65])
{
	BIO *bio = BIO_new_mem_buf(chains[i].p, (int)chains[i].n);
	X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	unsigned char hash[32];

	X509_digest(cert, EVP_sha256(), hash, NULL);
	for (size_t n = 0; n < sizeof(hash); n++)
		snprintf(out + 2 * n, 3, "%02x", hash[n]);
	X509_free(cert);
	BIO_free(bio);
}

static void test_client_certificate(void **state)
{
	struct tls_context *asks = context_asking("smtp", STR_NONE, true), *asks_not = context("smtp", STR_NONE);
	char want[65];

	(void)state;
	fingerprint_of(2, want);
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		struct scene has = {.version_max = version, .has_certificate = true}, unasked = has, again = has,
			     none = {.version_max = version};

		play_with(asks, &has);
		assert_string_equal(has.fingerprint, want);
		assert_true(has.certificate_ok);
		again.resume = has.session; /* who resumes is who began */
		play_with(asks, &again);
		assert_true(again.resumed);
		assert_string_equal(again.fingerprint, want);
		play_with(asks_not, &unasked);
		play_with(asks, &none);
		assert_string_equal(none.fingerprint, "");
		assert_string_equal(unasked.fingerprint, "");
		assert_false(none.certificate_ok || unasked.certificate_ok);
		forget(&has);
		forget(&again);
		forget(&unasked);
		forget(&none);
	}
	tls_context_release(asks);
	tls_context_release(asks_not);
}

static void silent_client(void *arg)
{
	struct scene *scene = arg;
	struct stream *s, *client;

	if (!stream_pair(&s, &client, 4096, false))
		return;
	scene->result = stream_start_tls(s, scene->context, SOON, STR("test"));
	stream_put(s, STR("nothing of this is sent\r\n"));
	(void)!stream_flush(s);
	scene->plain_seen = stream_poll(client).n > 0;
	stream_close(s);
	stream_close(client);
}

static void test_silence_times_out(void **state)
{
	struct scene s = {.context = context("smtp", STR_NONE)};

	(void)state;
	assert_int_equal(rt_run_simulated(1, silent_client, &s), OK);
	assert_int_equal(s.result, E_TIMEOUT);
	assert_false(s.plain_seen);
	tls_context_release(s.context);
}

static void test_bad_certificates(void **state)
{
	struct tls_certificate bad = {STR("nonsense"), STR_NONE, 0};
	struct tls_context *c;

	(void)state;
	assert_int_equal(tls_context_new(&(struct tls_options){.certificates = &bad, .certificates_n = 1}, &c),
	                 E_SYNTAX);
	assert_null(c);
	assert_int_equal(tls_context_new(&(struct tls_options){.certificates_n = 0}, &c), E_LIMIT);
}

/* --- keys --- */

static void print_rsa(EVP_PKEY *key, X509 *cert, struct buf *pem, struct buf *chain)
{
	char *p;
	BIO *bio = BIO_new(BIO_s_mem());

	PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
	long n = BIO_get_mem_data(bio, &p);
	buf_put(pem, str_make(p, (size_t)n));
	(void)BIO_reset(bio);
	PEM_write_bio_X509(bio, cert);
	n = BIO_get_mem_data(bio, &p);
	buf_put(chain, str_make(p, (size_t)n));
	BIO_free(bio);
}

/* A certificate like the first one, with an RSA key. */
static void make_rsa(struct buf *pem, struct buf *chain)
{
	BIO *bio = BIO_new_mem_buf(chains[0].p, (int)chains[0].n);
	X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	EVP_PKEY *key = EVP_RSA_gen(2048);

	X509_set_pubkey(cert, key);
	X509_sign(cert, key, EVP_sha256());
	print_rsa(key, cert, pem, chain);
	EVP_PKEY_free(key);
	X509_free(cert);
	BIO_free(bio);
}

static int make_keys(void **state)
{
	err e = OK;

	(void)state;
	for (size_t i = 0; i < KEYS; i++)
		chains[i] = pems[i] = BUF_INIT(1 << 16);
	e |= private_key_make(STR("mail.example.org"), &pems[0], &chains[0]);
	make_rsa(&pems[1], &chains[1]);
	e |= private_key_make(STR("other.example.net"), &pems[2], &chains[2]);
	for (size_t i = 0; i < KEYS; i++)
		e |= private_key_read(buf_str(&pems[i]), buf_str(&chains[i]), &keys[i]);
	return e == OK ? 0 : -1;
}

static int free_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < KEYS; i++) {
		private_key_free(keys[i]);
		buf_free(&chains[i]);
		buf_free(&pems[i]);
	}
	return 0;
}

static int before_each(void **state)
{
	(void)state;
	signing = SIGN_AT_ONCE;
	signatures = 0;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_handshake, before_each),
		cmocka_unit_test_setup(test_parked_signer_and_torn_records, before_each),
		cmocka_unit_test_setup(test_few_segments, before_each),
		cmocka_unit_test_setup(test_tls_1_2, before_each),
		cmocka_unit_test_setup(test_rsa_beside_ecdsa, before_each),
		cmocka_unit_test_setup(test_rsa_is_never_asked_to_decrypt, before_each),
		cmocka_unit_test_setup(test_certificate_by_name, before_each),
		cmocka_unit_test_setup(test_wrong_protocol_is_refused, before_each),
		cmocka_unit_test_setup(test_no_signature, before_each),
		cmocka_unit_test_setup(test_garbage, before_each),
		cmocka_unit_test_setup(test_injected_plaintext_is_thrown_away, before_each),
		cmocka_unit_test_setup(test_tickets_belong_to_their_listener, before_each),
		cmocka_unit_test_setup(test_client_certificate, before_each),
		cmocka_unit_test_setup(test_silence_times_out, before_each),
		cmocka_unit_test_setup(test_bad_certificates, before_each),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
