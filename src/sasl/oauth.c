/* SPDX-License-Identifier: ISC */
#include "sasl/oauth.h"

#include "base/cursor.h"
#include "base/encode.h"

#define KVSEP '\x01'

static bool is_alpha(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* RFC 7628 3.1: VCHAR, SP, HTAB, CR, LF */
static bool is_value(unsigned char c)
{
	return (c >= ' ' && c < 0x7f) || c == '\t' || c == '\r' || c == '\n';
}

/* RFC 6750 2.1 */
static bool is_token(unsigned char c)
{
	return is_alpha(c) || (c >= '0' && c <= '9') || (c != '\0' && strchr("-._~+/", c) != NULL);
}

static bool is_pad(unsigned char c)
{
	return c == '=';
}

/* "Bearer TOKEN" (RFC 6750 2.1); the scheme in any case (RFC 7628 4). */
static err bearer(str value, str *token)
{
	struct cursor c = cursor_of(value);

	if (!cursor_accept_nocase(&c, STR("Bearer ")))
		return err_note(E_SYNTAX, "OAuth: not a bearer token");
	*token = cursor_rest(&c);
	str body = cursor_take_while(&c, is_token);
	(void)cursor_take_while(&c, is_pad);
	return body.n > 0 && cursor_end(&c) ? OK : err_note(E_SYNTAX, "OAuth: not a bearer token");
}

/* --- OAUTHBEARER --- */

/* RFC 5801 4: a saslname, in which a comma is =2C and an equals sign =3D. */
static err decode_name(str encoded, struct arena *a, str *out)
{
	char *p = arena_alloc(a, encoded.n);
	size_t n = 0;

	for (str rest = encoded; rest.n > 0 && p != NULL;) {
		bool comma = str_starts(rest, STR("=2C")), equals = str_starts(rest, STR("=3D"));

		if (rest.p[0] == '=' && !comma && !equals)
			return err_note(E_SYNTAX, "OAuth: a name is encoded wrongly");
		p[n++] = comma ? ',' : rest.p[0];
		rest = str_drop(rest, comma || equals ? 3 : 1);
	}
	*out = str_make(p, n);
	if (p == NULL || n == 0 || !str_is_utf8(*out) || str_has_control(*out))
		return err_note(E_SYNTAX, "OAuth: not a name");
	return OK;
}

/* RFC 5801 4: no channel is bound to with this mechanism, so "p=" is not for us. */
static err gs2_header(struct cursor *c, struct arena *a, str *authorization)
{
	str name = STR_NONE;
	err e = OK;

	if (!cursor_accept(c, 'n'))
		cursor_expect(c, 'y');
	cursor_expect(c, ',');
	if (cursor_accept_str(c, STR("a=")))
		e = decode_name(name = cursor_take_until(c, ','), a, authorization);
	cursor_expect(c, ',');
	cursor_expect(c, KVSEP);
	return e != OK ? e : c->failed ? err_note(E_SYNTAX, "OAUTHBEARER: not a GS2 header") : OK;
}

/* One pair and what ends it. What is not known is not looked at: the host and the port too, as a server may be reached by any name. */
static err take_pair(struct cursor *c, str *auth)
{
	str key = cursor_take_while(c, is_alpha);

	cursor_expect(c, '=');
	str value = cursor_take_while(c, is_value);
	cursor_expect(c, KVSEP);
	if (key.n == 0 || c->failed)
		return err_note(E_SYNTAX, "OAUTHBEARER: not a pair of key and value");
	if (!str_equal(key, STR("auth")))
		return OK;
	if (auth->p != NULL)
		return err_note(E_SYNTAX, "OAUTHBEARER: auth is there twice");
	*auth = value;
	return OK;
}

err oauth_bearer_parse(str message, struct arena *a, struct oauth_message *out)
{
	struct cursor c = cursor_of(message);
	str auth = STR_NONE;

	*out = (struct oauth_message){0};
	if (message.n > OAUTH_MESSAGE_MAX)
		return err_note(E_SYNTAX, "OAUTHBEARER: too long");
	err e = gs2_header(&c, a, &out->authorization);
	while (e == OK && !cursor_accept(&c, KVSEP))
		e = take_pair(&c, &auth);
	if (e == OK && (!cursor_end(&c) || auth.p == NULL))
		e = err_note(E_SYNTAX, "OAUTHBEARER: no auth, or something behind the end");
	return e != OK || auth.n == 0 ? e : bearer(auth, &out->token);
}

/* --- XOAUTH2 --- */

/* "user=" NAME ^A "auth=Bearer " TOKEN ^A ^A */
err oauth_x_parse(str message, struct oauth_message *out)
{
	struct cursor c = cursor_of(message);

	*out = (struct oauth_message){0};
	if (message.n > OAUTH_MESSAGE_MAX)
		return err_note(E_SYNTAX, "XOAUTH2: too long");
	if (!cursor_accept_str(&c, STR("user=")))
		cursor_fail(&c);
	out->authorization = cursor_take_until(&c, KVSEP);
	cursor_expect(&c, KVSEP);
	if (!cursor_accept_str(&c, STR("auth=")))
		cursor_fail(&c);
	str auth = cursor_take_until(&c, KVSEP);
	cursor_expect(&c, KVSEP);
	cursor_expect(&c, KVSEP);
	if (c.failed || !cursor_end(&c) || out->authorization.n == 0 || !str_is_utf8(out->authorization) ||
	    str_has_control(out->authorization))
		return err_note(E_SYNTAX, "XOAUTH2: not a user and a token");
	return bearer(auth, &out->token);
}

/* --- refusals --- */

str oauth_bearer_refusal(str issuer, struct arena *a)
{
	BUF(out, 4096);

	buf_puts(&out, "{\"status\":\"invalid_token\"");
	if (str_starts(issuer, STR("https://"))) {
		str base = str_ends(issuer, STR("/")) ? str_take(issuer, issuer.n - 1) : issuer;

		buf_puts(&out, ",\"openid-configuration\":");
		json_quote(&out, arena_printf(a, STR_FMT "/.well-known/openid-configuration", STR_ARG(base)));
	}
	buf_puts(&out, "}");
	return arena_str(a, out.full ? STR("{\"status\":\"invalid_token\"}") : buf_str(&out));
}

str oauth_x_refusal(void)
{
	return STR("{\"status\":\"401\",\"schemes\":\"bearer\"}");
}
