/* SPDX-License-Identifier: ISC */
#include "sasl/password.h"

#include <assert.h>
#include <crypt.h>
#include <errno.h>
#include <stdlib.h>

static_assert(PASSWORD_MAX < CRYPT_MAX_PASSPHRASE_SIZE, "libcrypt would refuse it");

/* What one computation needs. 33 KiB: too much for a coroutine's stack. */
struct workspace {
	struct crypt_data data;
	char password[PASSWORD_MAX + 1];
	char setting[CRYPT_OUTPUT_SIZE];
};

static void workspace_free(struct workspace **w)
{
	if (*w != NULL)
		explicit_bzero(*w, sizeof(**w));
	free(*w);
}

static bool is_acceptable(str password)
{
	return password.n > 0 && password.n <= PASSWORD_MAX && str_find(password, '\0') == password.n;
}

static struct workspace *workspace_new(str password)
{
	struct workspace *w = calloc(1, sizeof(*w));

	if (w != NULL)
		memcpy(w->password, password.p, password.n);
	return w;
}

/* A setting for a new hash: its kind, cost and a random salt. */
static bool new_setting(struct workspace *w)
{
	return crypt_gensalt_rn("$y$", 0, NULL, 0, w->setting, (int)sizeof(w->setting)) != NULL;
}

/* A stored hash is a setting too. Only the kinds that name themselves: libcrypt would take any two letters for DES. */
static bool stored_setting(struct workspace *w, str hash)
{
	if (hash.n >= sizeof(w->setting) || !str_starts(hash, STR("$")) || str_find(hash, '\0') < hash.n)
		return false;
	memcpy(w->setting, hash.p, hash.n);
	return true;
}

/* The hash, STR_NONE when libcrypt does not know the setting. The view is into the workspace. */
static str compute(struct workspace *w)
{
	return str_from(crypt_rn(w->password, w->setting, &w->data, (int)sizeof(w->data)));
}

err password_hash(str password, struct buf *hash)
{
	if (!is_acceptable(password))
		return err_note(E_SYNTAX, "a password has 1 to %d octets and no NUL", PASSWORD_MAX);
	CLEANUP(workspace_free) struct workspace *w = workspace_new(password);
	if (w == NULL)
		return err_note(E_MEMORY, "no memory to hash a password");
	str computed = new_setting(w) ? compute(w) : STR_NONE;
	if (computed.n == 0)
		return err_note(E_MEMORY, "libcrypt: %s", strerror(errno));
	buf_put(hash, computed);
	return hash->full ? err_note(E_LIMIT, "no room for a hash of %zu octets", computed.n) : OK;
}

/* In time that depends on the length alone. */
static bool is_equal(str a, str b)
{
	volatile unsigned char differ = a.n != b.n;

	for (size_t i = 0; i < a.n && i < b.n; i++)
		differ = differ | (unsigned char)(a.p[i] ^ b.p[i]);
	return differ == 0;
}

/* Nobody can tell by the time it takes that there is nothing to compare with. */
static bool refuse_slowly(struct workspace *w)
{
	memset(w->setting, 0, sizeof(w->setting));
	if (new_setting(w))
		compute(w);
	return false;
}

bool password_verify(str password, str hash)
{
	if (!is_acceptable(password))
		return false;
	CLEANUP(workspace_free) struct workspace *w = workspace_new(password);
	if (w == NULL)
		return false;
	str computed = stored_setting(w, hash) ? compute(w) : STR_NONE;
	if (computed.n == 0)
		return refuse_slowly(w);
	return is_equal(computed, hash);
}
