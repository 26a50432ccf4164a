/* SPDX-License-Identifier: ISC */
/* Any bytes instead of a client hello, in pieces, against the server's handshake: no crash, no hang, no plaintext afterwards. */
#include <stdlib.h>

#include "rt/private_key.h"
#include "rt/tls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct private_key *key;
static struct tls_context *context;

static err signer(void *ctx, uint64_t number, enum tls_sign kind, str input, struct buf *out)
{
	(void)ctx, (void)number;
	return private_key_sign(key, kind, input, out);
}

static void prepare(void)
{
	BUF(pem, 1 << 16);
	BUF(chain, 1 << 16);
	struct tls_certificate certificate = {0};

	if (private_key_make(STR("mail.example.org"), &pem, &chain) != OK ||
	    private_key_read(buf_str(&pem), buf_str(&chain), &key) != OK)
		abort();
	certificate.chain_pem = buf_str(&chain);
	if (tls_context_new(&(struct tls_options){.certificates = &certificate,
	                                          .certificates_n = 1,
	                                          .signer = signer,
	                                          .alpn = STR("smtp"),
	                                          .listener = STR("smtp")},
	                    &context) != OK)
		abort();
}

struct client {
	struct stream *s;
	str bytes;
};

static void client_run(void *arg)
{
	struct client *c = arg;
	str answer;

	stream_put(c->s, c->bytes);
	(void)!stream_flush(c->s);
	while (stream_peek(c->s, &answer, rt_after(NSEC_PER_SEC)) == OK)
		stream_consume(c->s, answer.n);
	stream_close(c->s);
}

static void server_run(void *arg)
{
	struct client *c = arg;
	struct stream *s;

	if (!stream_pair(&s, &c->s, 64 << 10, true))
		abort();
	rt_spawn(client_run, c, "client");
	err e = stream_start_tls(s, context, rt_after(10 * NSEC_PER_SEC), STR("fuzz"));
	if ((e == OK) != stream_is_tls(s) || stream_error(s) != e)
		abort();
	stream_close(s);
	while (rt_count() > 1)
		(void)!rt_sleep_until(rt_after(NSEC_PER_SEC));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct client c = {.bytes = str_make((const char *)data, size)};

	if (context == NULL)
		prepare();
	if (rt_run_simulated(size, server_run, &c) != OK)
		abort();
	return 0;
}
