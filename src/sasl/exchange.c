/* SPDX-License-Identifier: ISC */
#include "sasl/exchange.h"

#include "base/encode.h"
#include "rt/tls.h"

#define AUTH_TIME (90 * NSEC_PER_SEC) /* for one step: keys makes those wait who guess */

static void take_bindings(struct sasl_exchange *x, const struct stream *s, struct arena *a)
{
	static const char *const names[] = {"tls-exporter", "tls-server-end-point", "tls-unique"};
	BUF(data, 256);

	x->bindings = arena_array(a, ARRAY_LEN(names), sizeof(*x->bindings));
	for (size_t i = 0; i < ARRAY_LEN(names) && x->bindings != NULL; i++) {
		buf_reset(&data);
		if (stream_tls_binding(s, names[i], &data))
			x->bindings[x->bindings_n++] =
				(struct auth_binding){str_from(names[i]), arena_str(a, buf_str(&data))};
	}
}

/* Bindings are not for free, and most clients say PLAIN. */
void sasl_exchange_bind(struct sasl_exchange *x, const struct stream *s, str mechanism, struct arena *a)
{
	x->tls = stream_is_tls(s);
	x->certificate = stream_tls_info(s).client_fingerprint;
	x->bindings_n = 0;
	if (x->tls && str_starts_nocase(mechanism, STR("SCRAM-")))
		take_bindings(x, s, a);
}

static err call(const struct sasl_exchange *x, const struct auth_request *q, struct auth_reply *r, struct arena *a)
{
	return call_auth(x->keys, q, r, a, rt_after(AUTH_TIME));
}

/* Keys would forget it by itself, a minute later. */
static void cancel(const struct sasl_exchange *x, struct auth_request *q)
{
	struct auth_reply r;
	ARENA(a, 1024);

	q->step = AUTH_CANCEL;
	q->response = STR_NONE;
	(void)!call(x, q, &r, &a);
}

/* RFC 4954 4: 501 to what is no base64. */
static err decode(str base64, struct buf *out)
{
	buf_reset(out);
	if (base64_decode(out, base64) != OK)
		return err_set(E_SYNTAX, 501, "5.5.2", "malformed response: %s", err_info()->text);
	return OK;
}

/* Sends the challenge and gets what the client says to it. */
static err answer(const struct sasl_exchange *x, str challenge, struct buf *response)
{
	BUF(text, SASL_LINE_MAX);
	str line;

	base64_encode(&text, challenge);
	if (text.full)
		return err_set(E_TEMP, 454, "4.7.0", "cannot log in at present, try again later");
	err e = x->ask(x->ctx, buf_str(&text), &line);
	if (e != OK)
		return e;
	if (str_equal(line, STR("*")))
		return err_set(E_SYNTAX, 501, "5.7.0", "cancelled");
	return decode(line, response);
}

static err next_step(const struct sasl_exchange *x, struct auth_request *q, struct buf *response, struct auth_reply *r,
                     struct arena *a)
{
	err e = answer(x, r->challenge, response);

	if (e != OK) {
		struct err_info why = *err_info();

		cancel(x, q);
		return err_set(e, why.reply, why.status, "%s", why.text);
	}
	q->step = AUTH_NEXT;
	q->response = buf_str(response);
	q->has_response = 1;
	return call(x, q, r, a);
}

static err exchange(const struct sasl_exchange *x, struct auth_request *q, str initial, struct buf *response,
                    struct auth_reply *r, struct arena *a)
{
	err e = OK;

	if (initial.n > 0 && !str_equal(initial, STR("="))) /* RFC 4954 4, RFC 5034 4: "=" is an empty response */
		e = decode(initial, response);
	if (e != OK)
		return e;
	q->response = buf_str(response);
	e = call(x, q, r, a);
	while (e == OK && r->state == AUTH_CONTINUE)
		e = next_step(x, q, response, r, a);
	return e;
}

err sasl_exchange(const struct sasl_exchange *x, str mechanism, str initial, struct auth_reply *reply, struct arena *a)
{
	BUF(response, SASL_LINE_MAX);
	struct auth_request q = {.session = x->session,
	                         .client = x->client,
	                         .service = x->service,
	                         .mechanism = arena_str(a, mechanism), /* a line that is read may take the bytes away */
	                         .step = AUTH_BEGIN,
	                         .has_response = initial.n > 0,
	                         .tls = x->tls,
	                         .bindings = x->bindings,
	                         .bindings_n = x->bindings_n,
	                         .certificate = x->certificate};
	err e = exchange(x, &q, initial, &response, reply, a);

	if (response.p != NULL)
		explicit_bzero(response.p, response.size);
	return e;
}
