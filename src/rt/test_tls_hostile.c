/* SPDX-License-Identifier: ISC */
/* Servers that are old, that close, stall or spoil at any step of the handshake. */
#include "base/test.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>

#include "base/log.h"
#include "rt/private_key.h"
#include "rt/tls.h"
#include "rt/tls_client.h"
#include "rt/transport.h"

#define SOON (rt_after(5 * NSEC_PER_SEC))

static struct buf key_pem, chain_pem;
static struct private_key *key;
static struct tls_context *context;
static struct tls_client *client;
static EVP_PKEY *short_key; /* RSA of 1024 bits */
static X509 *short_cert;

static const str mx[] = {{"mx.example.com", 14}};
static const struct tls_peer any = {.server_name = {"mx.example.com", 14}},
			     verified = {.server_name = {"mx.example.com", 14},
                                         .check = TLS_CHECK_NAME,
                                         .names = mx,
                                         .names_n = 1};

static err sign(void *ctx, uint64_t number, enum tls_sign kind, str input, struct buf *out)
{
	(void)ctx, (void)number;
	return private_key_sign(key, kind, input, out);
}

/* One connection, and what becomes of the server's octets on their way. Compared after the loop, as cmocka leaves by longjmp. */
struct scene {
	struct tls_peer peer;
	void (*server)(struct scene *scene, struct stream *s);
	str bytes;                  /* that a server says which speaks no TLS */
	size_t end_after, spoil_at; /* octets; 0 never, else one more than that */
	bool stall;                 /* nothing more comes, instead of the end */
	nsec cancel_at;             /* 0: never */
	int version;                /* the most that an old server speaks */
	const char *ciphers;
	/* out */
	err result;
	struct err_info why;
	char cipher[64];
	bool encrypted;
	size_t read; /* octets of the handshake */
	/* in between */
	struct stream *server_side;
	struct carrier under;
	size_t seen;
};

/* --- the way --- */

static bool way_ends(const struct scene *scene)
{
	return scene->end_after > 0 && scene->seen + 1 >= scene->end_after;
}

static ssize_t way_read(void *t, char *p, size_t n)
{
	struct scene *scene = t;

	if (way_ends(scene))
		return scene->stall ? TRANSPORT_AGAIN : 0;
	if (scene->end_after > 0 && n > scene->end_after - 1 - scene->seen)
		n = scene->end_after - 1 - scene->seen;
	ssize_t got = scene->under.ops->read(scene->under.t, p, n);
	for (ssize_t i = 0; i < got; i++)
		if (++scene->seen == scene->spoil_at)
			p[i] = (char)(p[i] ^ 0x41);
	return got;
}

static ssize_t way_write(void *t, const char *p, size_t n)
{
	struct scene *scene = t;

	return scene->under.ops->write(scene->under.t, p, n);
}

static err way_wait_readable(void *t, nsec deadline)
{
	struct scene *scene = t;

	if (!way_ends(scene))
		return scene->under.ops->wait_readable(scene->under.t, deadline);
	err e = scene->stall ? rt_sleep_until(deadline) : OK;
	return scene->stall && e == OK ? err_note(E_TIMEOUT, "timed out") : e;
}

static err way_wait_writable(void *t, nsec deadline)
{
	struct scene *scene = t;

	return scene->under.ops->wait_writable(scene->under.t, deadline);
}

static void way_close(void *t)
{
	struct scene *scene = t;

	scene->under.ops->close(scene->under.t);
}

static const struct transport way = {
	.read = way_read,
	.write = way_write,
	.wait_readable = way_wait_readable,
	.wait_writable = way_wait_writable,
	.close = way_close,
};

/* --- servers --- */

static void ours(struct scene *scene, struct stream *s)
{
	(void)scene;
	if (stream_start_tls(s, context, SOON, STR("test")) != OK)
		return;
	stream_put(s, STR("hello\r\n"));
	(void)stream_flush(s);
}

static void babbler(struct scene *scene, struct stream *s)
{
	str heard;

	stream_put(s, scene->bytes);
	while (stream_peek(s, &heard, SOON) == OK)
		stream_consume(s, heard.n);
}

static bool push(SSL *ssl, struct stream *s)
{
	char *p;
	long n = BIO_get_mem_data(SSL_get_wbio(ssl), &p);

	if (n > 0)
		stream_put(s, str_make(p, (size_t)n));
	(void)BIO_reset(SSL_get_wbio(ssl));
	return stream_flush(s) == OK;
}

/* OpenSSL with settings of long ago. */
static void old(struct scene *scene, struct stream *s)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	str heard;

	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
	SSL_CTX_set_max_proto_version(ctx, scene->version);
	SSL_CTX_set_cipher_list(ctx, scene->ciphers);
	SSL_CTX_use_certificate(ctx, short_cert);
	SSL_CTX_use_PrivateKey(ctx, short_key);
	SSL *ssl = SSL_new(ctx);
	SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	for (int n = 0; n != 1 && push(ssl, s) && stream_peek(s, &heard, SOON) == OK;) {
		BIO_write(SSL_get_rbio(ssl), heard.p, (int)heard.n);
		stream_consume(s, heard.n);
		n = SSL_accept(ssl);
		if (n != 1 && SSL_get_error(ssl, n) != SSL_ERROR_WANT_READ)
			break;
	}
	push(ssl, s);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	ERR_clear_error();
}

static void server_run(void *arg)
{
	struct scene *scene = arg;

	scene->server(scene, scene->server_side);
	stream_close(scene->server_side);
}

/* --- the client --- */

static void client_run(void *arg)
{
	struct scene *scene = arg;
	struct tls_proof proof;
	struct stream *s;

	if (!stream_pair(&s, &scene->server_side, 16 << 10, false))
		return;
	scene->under = stream_carrier(s);
	stream_set_carrier(s, (struct carrier){&way, scene});
	rt_spawn(server_run, scene, "server");
	scene->result = stream_start_tls_client(s, client, &scene->peer, SOON, &proof);
	scene->why = *err_info();
	scene->encrypted = stream_is_tls(s);
	scene->read = scene->seen;
	snprintf(scene->cipher, sizeof(scene->cipher), STR_FMT, STR_ARG(proof.cipher));
	if (stream_error(s) != scene->result)
		scene->result = E_PERM;
	stream_put(s, STR("nothing of this leaves in plaintext\r\n"));
	(void)stream_flush(s);
	stream_close(s);
}

static void begin(void *arg)
{
	struct scene *scene = arg;
	struct co *c = rt_spawn(client_run, scene, "client");

	if (scene->cancel_at > 0 && rt_sleep_until(rt_after(scene->cancel_at)) == OK)
		rt_cancel(c);
}

static void play(struct scene *scene)
{
	if (scene->server == NULL)
		scene->server = ours;
	assert_int_equal(rt_run_simulated(3, begin, scene), OK);
	assert_true(scene->encrypted == (scene->result == OK));
}

static void play_bad(struct scene *scene, err want, const char *why)
{
	play(scene);
	if (scene->result != want || strcmp(scene->why.text, why) != 0)
		fail_msg("%s, not %s: %s", err_name(scene->result), err_name(want), scene->why.text);
}

/* --- tests --- */

#define CLOSED "the server closed the connection during the TLS handshake"

/* What comes last, a ticket, may be missing. */
static bool may_be_done(size_t octets)
{
	struct scene s = {.peer = verified};

	play(&s);
	assert_int_equal(s.result, OK);
	return octets >= s.read / 2;
}

static void test_server_closes_at_each_step(void **state)
{
	(void)state;
	for (size_t i = 0;; i += 7) {
		struct scene s = {.peer = verified, .end_after = i + 1};

		play(&s);
		if (s.result == OK && may_be_done(i))
			break;
		assert_int_equal(s.result, E_CLOSED);
		assert_string_equal(s.why.text, CLOSED);
	}
	play_bad(&(struct scene){.peer = any, .end_after = 1}, E_CLOSED, CLOSED);
}

static void test_server_stalls_at_each_step(void **state)
{
	(void)state;
	for (size_t i = 0; i < 300; i += 11)
		play_bad(&(struct scene){.peer = verified, .end_after = i + 1, .stall = true}, E_TIMEOUT,
		         "the server did not finish the TLS handshake in time");
}

static void test_cancel(void **state)
{
	(void)state;
	for (size_t i = 0; i < 300; i += 100) {
		struct scene s = {.peer = any, .end_after = i + 1, .stall = true, .cancel_at = NSEC_PER_SEC};

		play(&s);
		assert_int_equal(s.result, E_CANCELLED);
	}
}

/* Whatever octet is another: it is noticed. */
static void test_spoiled(void **state)
{
	(void)state;
	for (size_t i = 0; i < 300; i++) {
		struct scene s = {.peer = any, .spoil_at = i + 1};

		play(&s);
		if (s.result == OK && i != 1 && i != 2) /* the version of a record's header, which nobody minds */
			fail_msg("octet %zu was changed", i);
	}
}

static void test_no_tls(void **state)
{
	const char *no_tls = "what the server says is not TLS";
	struct scene text = {.peer = any, .server = babbler, .bytes = STR("454 TLS not available\r\n")},
		     http = {.peer = any, .server = babbler, .bytes = STR("HTTP/1.0 400 Bad Request\r\n\r\n")},
		     short_text = {.peer = any, .server = babbler, .bytes = STR("no")},
		     alert = {.peer = any, .server = babbler, .bytes = str_make("\25\3\1\0\2\2\50", 7)},
		     old_alert = {.peer = any, .server = babbler, .bytes = str_make("\25\3\1\0\2\2\106", 7)};

	(void)state;
	play_bad(&text, E_SYNTAX, no_tls);
	play_bad(&http, E_SYNTAX, no_tls);
	play_bad(&short_text, E_TIMEOUT, "the server did not finish the TLS handshake in time");
	play_bad(&alert, E_SYNTAX, "the server refused the TLS handshake: handshake failure");
	play_bad(&old_alert, E_SYNTAX, "the server does not speak TLS 1.2 or newer");
}

static void test_old_server(void **state)
{
	struct scene rsa = {.peer = any, .server = old, .version = TLS1_2_VERSION, .ciphers = "AES128-SHA"},
		     ecdhe = {.peer = any, .server = old, .version = TLS1_2_VERSION, .ciphers = "ECDHE-RSA-AES256-SHA"},
		     older = {.peer = any, .server = old, .version = TLS1_1_VERSION, .ciphers = "ALL"},
		     none = {.peer = any, .server = old, .version = TLS1_2_VERSION, .ciphers = "NULL-SHA256"},
		     checked = {.peer = verified, .server = old, .version = TLS1_2_VERSION, .ciphers = "AES128-SHA"};

	(void)state;
	play(&rsa);
	assert_int_equal(rsa.result, OK);
	assert_string_equal(rsa.cipher, "AES128-SHA");
	play(&ecdhe);
	assert_int_equal(ecdhe.result, OK);
	play_bad(&older, E_SYNTAX, "the server does not speak TLS 1.2 or newer");
	play_bad(&none, E_SYNTAX, "the server refused the TLS handshake: handshake failure");
	play(&checked);
	assert_int_equal(checked.result, E_DENIED);
	assert_non_null(strstr(checked.why.text, "key too weak"));
}

static void start_twice(void *arg)
{
	struct scene *scene = arg;
	struct tls_proof proof;
	struct stream *s;

	if (!stream_pair(&s, &scene->server_side, 16 << 10, true))
		return;
	scene->server = ours;
	rt_spawn(server_run, scene, "server");
	if (stream_start_tls_client(s, client, &any, SOON, &proof) == OK)
		scene->result = stream_start_tls_client(s, client, &any, SOON, &proof);
	stream_close(s);
}

static void test_tls_within_tls(void **state)
{
	struct scene s = {.peer = any};

	(void)state;
	assert_int_equal(rt_run_simulated(1, start_twice, &s), OK);
	assert_int_equal(s.result, E_EXISTS);
}

/* --- keys --- */

static void make_short(void)
{
	short_key = EVP_RSA_gen(1024);
	short_cert = X509_new();
	X509_set_version(short_cert, X509_VERSION_3);
	X509_gmtime_adj(X509_getm_notBefore(short_cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(short_cert), 3600);
	X509_set_pubkey(short_cert, short_key);
	X509_sign(short_cert, short_key, EVP_sha1());
}

static int setup(void **state)
{
	struct tls_certificate certificate = {0};

	(void)state;
	log_to(-1);
	make_short();
	key_pem = chain_pem = BUF_INIT(1 << 16);
	if (private_key_make(mx[0], &key_pem, &chain_pem) != OK ||
	    private_key_read(buf_str(&key_pem), buf_str(&chain_pem), &key) != OK ||
	    tls_client_new(buf_str(&chain_pem), &client) != OK)
		return -1;
	certificate.chain_pem = buf_str(&chain_pem);
	struct tls_options options = {
		.certificates = &certificate, .certificates_n = 1, .signer = sign, .listener = STR("smtp")};
	return tls_context_new(&options, &context) == OK ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	tls_context_release(context);
	tls_client_free(client);
	private_key_free(key);
	EVP_PKEY_free(short_key);
	X509_free(short_cert);
	buf_free(&key_pem);
	buf_free(&chain_pem);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_server_closes_at_each_step),
		cmocka_unit_test(test_server_stalls_at_each_step),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_spoiled),
		cmocka_unit_test(test_no_tls),
		cmocka_unit_test(test_old_server),
		cmocka_unit_test(test_tls_within_tls),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
