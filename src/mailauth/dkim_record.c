/* SPDX-License-Identifier: ISC */
#include "mailauth/dkim_record.h"

#include "base/encode.h"
#include "mailauth/dkim_tags.h"

enum { KEY_MAX = 4096 }; /* octets: several times what the longest key needs */

static bool lists(str list, str what)
{
	str item;

	while (dkim_tags_item(&list, ':', &item))
		if (str_equal(item, what))
			return true;
	return false;
}

/* RFC 6376 3.6.1: v= comes first, if at all. */
static err check_version(const struct dkim_tags *t)
{
	str value;

	if (!dkim_tags_find(t, "v", &value))
		return OK;
	if (!str_equal(t->items[0].name, STR("v")) || !str_equal(value, STR("DKIM1")))
		return err_note(E_SYNTAX, "the key record is of another version");
	return OK;
}

static err check_use(const struct dkim_tags *t)
{
	str value;

	if (dkim_tags_find(t, "h", &value) && !lists(value, STR("sha256")))
		return err_note(E_SYNTAX, "the key is not for SHA-256");
	if (dkim_tags_find(t, "s", &value) && !lists(value, STR("*")) && !lists(value, STR("email")))
		return err_note(E_SYNTAX, "the key is not for mail");
	return OK;
}

static err read_kind(const struct dkim_tags *t, struct dkim_record *out)
{
	str value;

	out->ed25519 = dkim_tags_find(t, "k", &value) && str_equal(value, STR("ed25519"));
	if (value.p != NULL && !out->ed25519 && !str_equal(value, STR("rsa")))
		return err_note(E_SYNTAX, "the key is of an unknown kind");
	return OK;
}

static err read_key(const struct dkim_tags *t, struct arena *a, struct dkim_record *out)
{
	str value;
	BUF(text, 2 * KEY_MAX);
	BUF(octets, KEY_MAX);

	if (!dkim_tags_find(t, "p", &value))
		return err_note(E_SYNTAX, "the key record has no p=");
	dkim_tags_squeeze(&text, value);
	if (text.full || base64_decode(&octets, buf_str(&text)) != OK)
		return err_note(E_SYNTAX, "p= of the key record is no key in base64");
	out->octets = arena_str(a, buf_str(&octets));
	return a->full ? err_note(E_LIMIT, "no memory for a key") : OK;
}

err dkim_record_parse(str text, struct arena *a, struct dkim_record *out)
{
	struct dkim_tags t;
	err e = dkim_tags_parse(text, &t);

	*out = (struct dkim_record){0};
	if (e != OK)
		return E_SYNTAX;
	e = check_version(&t);
	if (e == OK)
		e = check_use(&t);
	if (e == OK)
		e = read_kind(&t, out);
	out->testing = lists(dkim_tags_get(&t, "t"), STR("y"));
	out->strict = lists(dkim_tags_get(&t, "t"), STR("s"));
	return e == OK ? read_key(&t, a, out) : e;
}
