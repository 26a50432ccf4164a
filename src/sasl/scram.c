/* SPDX-License-Identifier: ISC */
#include "sasl/scram.h"

#include "base/cursor.h"
#include "base/encode.h"

static str hash_name(enum crypto_hash hash)
{
	return hash == CRYPTO_SHA1 ? STR("SCRAM-SHA-1") : STR("SCRAM-SHA-256");
}

static size_t hash_octets(enum crypto_hash hash)
{
	return hash == CRYPTO_SHA1 ? 20 : CRYPTO_SHA256_SIZE;
}

static err malformed(const char *what)
{
	return err_note(E_SYNTAX, "SCRAM: %s", what);
}

/* --- verifiers --- */

/* RFC 5802 3: ClientKey, StoredKey, ServerKey. */
err scram_verifier_make(enum crypto_hash hash, str password, str salt, uint32_t rounds, struct scram_verifier *out)
{
	struct crypto_digest salted, client_key;

	if (salt.n == 0 || salt.n > SCRAM_SALT_MAX || rounds == 0 || rounds > SCRAM_ROUNDS_MAX)
		return err_note(E_LIMIT, "SCRAM: salt or rounds are out of bounds");
	*out = (struct scram_verifier){.hash = hash, .rounds = rounds, .salt_n = salt.n};
	memcpy(out->salt, salt.p, salt.n);
	err e = crypto_pbkdf2(hash, password, salt, rounds, &salted);
	if (e == OK)
		e = crypto_hmac(hash, crypto_digest_str(&salted), STR("Client Key"), &client_key);
	if (e == OK)
		e = crypto_hash(hash, crypto_digest_str(&client_key), &out->stored_key);
	if (e == OK)
		e = crypto_hmac(hash, crypto_digest_str(&salted), STR("Server Key"), &out->server_key);
	explicit_bzero(&salted, sizeof(salted));
	explicit_bzero(&client_key, sizeof(client_key));
	return e;
}

str scram_verifier_salt(const struct scram_verifier *v)
{
	return str_make(v->salt, v->salt_n);
}

void scram_verifier_print(const struct scram_verifier *v, struct buf *out)
{
	buf_put(out, hash_name(v->hash));
	buf_printf(out, "$%u:", v->rounds);
	base64_encode(out, scram_verifier_salt(v));
	buf_putc(out, '$');
	base64_encode(out, crypto_digest_str(&v->stored_key));
	buf_putc(out, ':');
	base64_encode(out, crypto_digest_str(&v->server_key));
}

static bool parse_key(str base64, enum crypto_hash hash, struct crypto_digest *out)
{
	BUF(bytes, CRYPTO_HASH_MAX);

	if (base64_decode(&bytes, base64) != OK || bytes.n != hash_octets(hash))
		return false;
	memcpy(out->bytes, bytes.p, bytes.n);
	out->n = bytes.n;
	return true;
}

static bool parse_salt(str base64, struct scram_verifier *out)
{
	BUF(bytes, SCRAM_SALT_MAX);

	if (base64_decode(&bytes, base64) != OK || bytes.n == 0)
		return false;
	memcpy(out->salt, bytes.p, bytes.n);
	out->salt_n = bytes.n;
	return true;
}

err scram_verifier_parse(str text, struct scram_verifier *out)
{
	str name, rest, rounds, salt, stored, server;
	uint64_t n = 0;

	*out = (struct scram_verifier){0};
	bool ok = str_cut(text, '$', &name, &rest) && str_cut(rest, ':', &rounds, &rest) &&
	          str_cut(rest, '$', &salt, &rest) && str_cut(rest, ':', &stored, &server) &&
	          str_to_u64(rounds, SCRAM_ROUNDS_MAX, &n) && n > 0;
	out->hash = str_equal(name, hash_name(CRYPTO_SHA1)) ? CRYPTO_SHA1 : CRYPTO_SHA256;
	out->rounds = (uint32_t)n;
	if (!ok || !str_equal(name, hash_name(out->hash)) || !parse_salt(salt, out) ||
	    !parse_key(stored, out->hash, &out->stored_key) || !parse_key(server, out->hash, &out->server_key))
		return malformed("no verifier");
	return OK;
}

/* --- the client's first message --- */

/* RFC 5802 5.1: a comma is "=2C", an equals sign "=3D"; no other use of "=". */
static str decode_name(str in, struct arena *a)
{
	BUF(out, SCRAM_MESSAGE_MAX);

	for (size_t i = 0; i < in.n; i++) {
		str code = str_take(str_drop(in, i), 3);

		if (in.p[i] != '=') {
			buf_putc(&out, in.p[i]);
			continue;
		}
		if (!str_equal_nocase(code, STR("=2C")) && !str_equal_nocase(code, STR("=3D")))
			return STR_NONE;
		buf_putc(&out, code.p[1] == '2' ? ',' : '=');
		i += 2;
	}
	return str_has_control(buf_str(&out)) ? STR_NONE : arena_str(a, buf_str(&out));
}

/* RFC 5802 7, printable */
static bool is_nonce(str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 0x21 || s.p[i] > 0x7e || s.p[i] == ',')
			return false;
	return s.n > 0;
}

/* "X=" and its value, up to the next comma or the end. */
static str attribute(struct cursor *c, char name)
{
	cursor_expect(c, name);
	cursor_expect(c, '=');
	return cursor_take_until(c, ',');
}

static err find_binding(struct scram *s, str name)
{
	for (size_t i = 0; i < s->bindings_n; i++) {
		if (!str_equal(name, s->bindings[i].name))
			continue;
		s->binding = arena_str(s->memory, s->bindings[i].data);
		return OK;
	}
	return err_note(E_DENIED, "SCRAM: unknown channel binding");
}

/* RFC 5802 6: gs2-cbind-flag. "y" says: I could, but you did not offer it. */
static err read_flag(struct scram *s, struct cursor *c)
{
	if (cursor_accept_str(c, STR("p="))) {
		str name = cursor_take_until(c, ',');

		return s->plus ? find_binding(s, name) : malformed("a channel binding without -PLUS");
	}
	bool hidden = cursor_accept(c, 'y');
	if (!hidden && !cursor_accept(c, 'n'))
		return malformed("no channel binding flag");
	if (s->plus)
		return malformed("-PLUS without a channel binding");
	return hidden && s->plus_offered ? err_note(E_DENIED, "SCRAM: the client was not told of -PLUS") : OK;
}

static err read_header(struct scram *s, str message, struct cursor *c)
{
	err e = read_flag(s, c);

	cursor_expect(c, ',');
	s->authorization = STR("");
	if (e == OK && cursor_peek(c) == 'a') {
		str name = attribute(c, 'a'); /* empty is not in the grammar, but clients say it */

		s->authorization = decode_name(name, s->memory);
		if (s->authorization.n == 0 && name.n > 0)
			return malformed("authorization identity");
	}
	cursor_expect(c, ',');
	s->header = arena_str(s->memory, str_take(message, message.n - cursor_left(c)));
	return e == OK && c->failed ? malformed("header") : e;
}

err scram_first(struct scram *s, str message)
{
	struct cursor c = cursor_of(message);

	if (message.n > SCRAM_MESSAGE_MAX || !str_is_utf8(message))
		return malformed("first message");
	err e = read_header(s, message, &c);
	if (e != OK)
		return e;
	s->first = arena_str(s->memory, cursor_rest(&c));
	s->user = decode_name(attribute(&c, 'n'),
	                      s->memory); /* "m=" in its place is an extension that must be understood */
	cursor_expect(&c, ',');
	s->nonce = arena_str(s->memory, attribute(&c, 'r'));
	if (c.failed || s->user.n == 0 || !is_nonce(s->nonce) || s->nonce.n > SCRAM_NONCE_MAX)
		return malformed("first message");
	return s->memory->full ? err_note(E_LIMIT, "SCRAM: no memory") : OK;
}

err scram_challenge(struct scram *s, str salt, uint32_t rounds, str server_nonce)
{
	BUF(out, SCRAM_MESSAGE_MAX);

	s->nonce = arena_printf(s->memory, STR_FMT STR_FMT, STR_ARG(s->nonce), STR_ARG(server_nonce));
	buf_puts(&out, "r=");
	buf_put(&out, s->nonce);
	buf_puts(&out, ",s=");
	base64_encode(&out, salt);
	buf_printf(&out, ",i=%u", rounds);
	s->challenge = arena_str(s->memory, buf_str(&out));
	return out.full || s->memory->full ? err_note(E_LIMIT, "SCRAM: no memory") : OK;
}

/* --- the client's final message --- */

/* RFC 5802 5.1, "c=": the header once more, and what the channel is. */
static bool is_same_channel(const struct scram *s, str base64)
{
	BUF(plain, 2 * SCRAM_MESSAGE_MAX);
	BUF(want, 4 * SCRAM_MESSAGE_MAX);

	buf_put(&plain, s->header);
	buf_put(&plain, s->binding);
	base64_encode(&want, buf_str(&plain));
	return !plain.full && !want.full && crypto_equal(buf_str(&want), base64);
}

static err decode_proof(struct scram *s, str base64)
{
	BUF(bytes, CRYPTO_HASH_MAX);

	if (base64_decode(&bytes, base64) != OK || bytes.n != hash_octets(s->hash))
		return malformed("proof");
	s->proof = arena_str(s->memory, buf_str(&bytes));
	return OK;
}

/* Extensions may stand between the nonce and the proof; the proof is the last. */
err scram_final(struct scram *s, str message)
{
	static const str proof_name = {",p=", 3};
	size_t at = str_find_last(message, ',');
	struct cursor c = cursor_of(str_take(message, at));

	if (message.n > SCRAM_MESSAGE_MAX || !str_starts(str_drop(message, at), proof_name))
		return malformed("final message");
	s->final = arena_str(s->memory, str_take(message, at));
	str channel = attribute(&c, 'c');
	cursor_expect(&c, ',');
	str nonce = attribute(&c, 'r');
	if (c.failed)
		return malformed("final message");
	err e = decode_proof(s, str_drop(message, at + proof_name.n));
	if (e == OK && s->memory->full)
		e = err_note(E_LIMIT, "SCRAM: no memory");
	if (e == OK && (!is_same_channel(s, channel) || !crypto_equal(nonce, s->nonce)))
		e = err_note(E_DENIED, "SCRAM: another channel or nonce");
	return e;
}

/* RFC 5802 3: ClientKey = ClientProof XOR HMAC(StoredKey, AuthMessage). */
static bool has_client_key(const struct scram *s, const struct scram_verifier *v, str auth_message)
{
	struct crypto_digest key, stored;

	if (crypto_hmac(s->hash, crypto_digest_str(&v->stored_key), auth_message, &key) != OK || key.n != s->proof.n)
		return false;
	for (size_t i = 0; i < key.n; i++)
		key.bytes[i] ^= (unsigned char)s->proof.p[i];
	bool ok = crypto_hash(s->hash, crypto_digest_str(&key), &stored) == OK &&
	          crypto_equal(crypto_digest_str(&stored), crypto_digest_str(&v->stored_key));
	explicit_bzero(&key, sizeof(key));
	return ok;
}

bool scram_proves(const struct scram *s, const struct scram_verifier *v, struct buf *out)
{
	BUF(message, 3 * SCRAM_MESSAGE_MAX);
	struct crypto_digest signature;

	buf_put(&message, s->first);
	buf_putc(&message, ',');
	buf_put(&message, s->challenge);
	buf_putc(&message, ',');
	buf_put(&message, s->final);
	bool ok = has_client_key(s, v, buf_str(&message));
	if (message.full || v->hash != s->hash ||
	    crypto_hmac(s->hash, crypto_digest_str(&v->server_key), buf_str(&message), &signature) != OK)
		return false;
	buf_reset(out);
	buf_puts(out, "v=");
	base64_encode(out, crypto_digest_str(&signature));
	return ok && !out->full;
}
