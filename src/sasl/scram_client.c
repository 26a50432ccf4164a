/* SPDX-License-Identifier: ISC */
#include "sasl/scram_client.h"

#include "base/cursor.h"
#include "base/encode.h"
#include "sasl/prepare.h"

static err malformed(const char *what)
{
	return err_note(E_SYNTAX, "SCRAM: %s", what);
}

/* RFC 5802 5.1 */
static void put_name(struct buf *out, str name)
{
	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] == ',')
			buf_puts(out, "=2C");
		else if (name.p[i] == '=')
			buf_puts(out, "=3D");
		else
			buf_putc(out, name.p[i]);
	}
}

err scram_client_first(struct scram_client *s, str nonce, struct buf *out)
{
	BUF(first, SCRAM_MESSAGE_MAX);

	if (s->user.n == 0 || !str_is_utf8(s->user) || str_has_control(s->user))
		return malformed("a user's name is UTF-8 without control characters");
	if (s->binding != NULL)
		s->header = arena_printf(s->memory, "p=" STR_FMT ",,", STR_ARG(s->binding->name));
	else
		s->header = s->could_bind ? STR("y,,") : STR("n,,");
	s->nonce = arena_str(s->memory, nonce);
	buf_puts(&first, "n=");
	put_name(&first, prepare(s->user, s->memory));
	buf_puts(&first, ",r=");
	buf_put(&first, nonce);
	s->first = arena_str(s->memory, buf_str(&first));
	buf_put(out, s->header);
	buf_put(out, s->first);
	return first.full || s->memory->full || out->full ? err_note(E_LIMIT, "SCRAM: the name is too long") : OK;
}

struct challenge {
	str nonce, salt; /* salt in base64 */
	uint64_t rounds;
};

static str attribute(struct cursor *c, char name)
{
	cursor_expect(c, name);
	cursor_expect(c, '=');
	return cursor_take_until(c, ',');
}

/* RFC 5802 7, server-first-message. What stands behind the rounds is an extension that may be passed over; "m=" in front is one that may not, and fails. */
static err parse_challenge(str message, struct challenge *out)
{
	struct cursor c = cursor_of(message);

	if (message.n > SCRAM_MESSAGE_MAX)
		return malformed("the challenge is too long");
	out->nonce = attribute(&c, 'r');
	cursor_expect(&c, ',');
	out->salt = attribute(&c, 's');
	cursor_expect(&c, ',');
	str rounds = attribute(&c, 'i');
	if (c.failed || !str_to_u64(rounds, UINT64_MAX, &out->rounds))
		return malformed("no challenge");
	return OK;
}

/* RFC 5802 5.1: "r=" continues our nonce; its characters are printable. */
static bool continues(str nonce, str ours)
{
	for (size_t i = 0; i < nonce.n; i++)
		if (nonce.p[i] < 0x21 || nonce.p[i] > 0x7e)
			return false;
	return nonce.n > ours.n && str_starts(nonce, ours);
}

static err check_challenge(const struct scram_client *s, const struct challenge *q, str salt)
{
	if (!continues(q->nonce, s->nonce))
		return err_note(E_DENIED, "SCRAM: the server's nonce does not continue ours");
	if (q->rounds < SCRAM_ROUNDS_MIN || q->rounds > SCRAM_ROUNDS_MAX)
		return err_note(E_DENIED, "SCRAM: the server asks for %llu rounds", (unsigned long long)q->rounds);
	return salt.n == 0 ? err_note(E_DENIED, "SCRAM: the server has no salt") : OK;
}

static void wipe(struct buf *b)
{
	if (b->p != NULL)
		explicit_bzero(b->p, b->size);
	buf_free(b);
}

/* RFC 5802 2.2, 5.1: Hi(Normalize(password), salt, i). One that has no prepared form is taken as it is. */
static err salt_password(const struct scram_client *s, str salt, uint32_t rounds, struct crypto_digest *out)
{
	CLEANUP(wipe) struct buf password = BUF_INIT(4 * s->password.n + 64);
	bool prepared = prepare_strictly(s->password, &password) == OK;

	return crypto_pbkdf2(s->hash, prepared ? buf_str(&password) : s->password, salt, rounds, out);
}

/* RFC 5802 3. `message` is AuthMessage; `proof` gets ClientProof. */
static err prove(struct scram_client *s, str salt, uint32_t rounds, str message, struct crypto_digest *proof)
{
	struct crypto_digest salted, client_key = {0}, stored_key, signature, server_key = {0};
	err e = salt_password(s, salt, rounds, &salted);

	if (e == OK)
		e = crypto_hmac(s->hash, crypto_digest_str(&salted), STR("Client Key"), &client_key);
	if (e == OK)
		e = crypto_hash(s->hash, crypto_digest_str(&client_key), &stored_key);
	if (e == OK)
		e = crypto_hmac(s->hash, crypto_digest_str(&stored_key), message, &signature);
	if (e == OK)
		e = crypto_hmac(s->hash, crypto_digest_str(&salted), STR("Server Key"), &server_key);
	if (e == OK)
		e = crypto_hmac(s->hash, crypto_digest_str(&server_key), message, &s->server_signature);
	*proof = client_key;
	for (size_t i = 0; e == OK && i < proof->n; i++)
		proof->bytes[i] ^= signature.bytes[i];
	explicit_bzero(&salted, sizeof(salted));
	explicit_bzero(&client_key, sizeof(client_key));
	explicit_bzero(&server_key, sizeof(server_key));
	return e;
}

/* client-final-message-without-proof: the header once more with what the channel is, and the whole nonce. */
static void put_final(const struct scram_client *s, str nonce, struct buf *out)
{
	BUF(channel, SCRAM_MESSAGE_MAX);

	buf_put(&channel, s->header);
	if (s->binding != NULL)
		buf_put(&channel, s->binding->data);
	buf_puts(out, "c=");
	base64_encode(out, buf_str(&channel));
	buf_puts(out, ",r=");
	buf_put(out, nonce);
	out->full = out->full || channel.full;
}

err scram_client_final(struct scram_client *s, str challenge, struct buf *out)
{
	BUF(salt, SCRAM_SALT_MAX);
	BUF(final, 4 * SCRAM_MESSAGE_MAX);
	BUF(message, 8 * SCRAM_MESSAGE_MAX);
	struct challenge q;
	struct crypto_digest proof;
	err e = parse_challenge(challenge, &q);

	if (e == OK && base64_decode(&salt, q.salt) != OK)
		e = malformed("the salt is no base64, or too long");
	if (e == OK)
		e = check_challenge(s, &q, buf_str(&salt));
	if (e != OK)
		return e;
	put_final(s, q.nonce, &final);
	buf_printf(&message, STR_FMT "," STR_FMT "," STR_FMT, STR_ARG(s->first), STR_ARG(challenge),
	           STR_ARG(buf_str(&final)));
	e = prove(s, buf_str(&salt), (uint32_t)q.rounds, buf_str(&message), &proof);
	if (e != OK)
		return e;
	buf_put(out, buf_str(&final));
	buf_puts(out, ",p=");
	base64_encode(out, crypto_digest_str(&proof));
	return final.full || message.full || out->full ? err_note(E_LIMIT, "SCRAM: no memory") : OK;
}

err scram_client_verify(const struct scram_client *s, str message)
{
	BUF(bytes, CRYPTO_HASH_MAX);
	struct cursor c = cursor_of(message);

	if (cursor_peek(&c) == 'e')
		return err_note(E_DENIED, "SCRAM: the server says " STR_FMT, STR_ARG(str_take(message, 80)));
	str base64 = attribute(&c, 'v');
	if (c.failed || base64_decode(&bytes, base64) != OK)
		return malformed("no proof of the server");
	if (s->server_signature.n == 0 || !crypto_equal(buf_str(&bytes), crypto_digest_str(&s->server_signature)))
		return err_note(E_DENIED, "SCRAM: the server does not know the password");
	return OK;
}
