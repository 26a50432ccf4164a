/* SPDX-License-Identifier: ISC */
/* Any bytes instead of a server, in pieces, against the client's handshake; and any bytes as the certificates of authorities: no crash, no hang, no
 * plaintext afterwards. The first octet chooses what is asked of the server.
 */
#include <stdlib.h>

#include "base/log.h"
#include "rt/private_key.h"
#include "rt/tls_client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct tls_client *client;

static void prepare(void)
{
	BUF(pem, 1 << 16);
	BUF(chain, 1 << 16);

	log_to(-1);
	if (private_key_make(STR("mx.example.com"), &pem, &chain) != OK ||
	    tls_client_new(buf_str(&chain), &client) != OK)
		abort();
}

struct server {
	struct stream *s;
	struct tls_peer peer;
	str bytes;
};

static void server_run(void *arg)
{
	struct server *server = arg;
	str heard;

	stream_put(server->s, server->bytes);
	(void)!stream_flush(server->s);
	while (stream_peek(server->s, &heard, rt_after(NSEC_PER_SEC)) == OK)
		stream_consume(server->s, heard.n);
	stream_close(server->s);
}

static void client_run(void *arg)
{
	struct server *server = arg;
	struct tls_proof proof;
	struct stream *s;

	if (!stream_pair(&s, &server->s, 64 << 10, true))
		abort();
	rt_spawn(server_run, server, "server");
	err e = stream_start_tls_client(s, client, &server->peer, rt_after(10 * NSEC_PER_SEC), &proof);
	if ((e == OK) != stream_is_tls(s) || stream_error(s) != e)
		abort();
	stream_close(s);
	while (rt_count() > 1)
		(void)!rt_sleep_until(rt_after(NSEC_PER_SEC));
}

static void as_authorities(str pem)
{
	struct tls_client *c;

	if (tls_client_new(pem, &c) == OK)
		tls_client_free(c);
}

/* The names, and a TLSA record, are of the input as well. */
static void as_server(str input, uint8_t how)
{
	str name = str_take(input, how % 64);
	const struct tls_tlsa tlsa = {(uint8_t)(how & 3), (how >> 2) & 1, (how >> 3) & 3, name};
	struct server server = {.bytes = input,
	                        .peer = {.server_name = how & 128 ? STR("mx.example.com") : name,
	                                 .check = (enum tls_check)(how % 3),
	                                 .lenient = (how & 64) != 0,
	                                 .names = &name,
	                                 .names_n = 1,
	                                 .tlsa = &tlsa,
	                                 .tlsa_n = 1}};

	if (rt_run_simulated(input.n, client_run, &server) != OK)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str input = str_make((const char *)data, size);

	if (client == NULL)
		prepare();
	if (size == 0)
		return 0;
	if (data[0] == 255)
		as_authorities(str_drop(input, 1));
	else
		as_server(str_drop(input, 1), data[0]);
	return 0;
}
