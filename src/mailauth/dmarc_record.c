/* SPDX-License-Identifier: ISC */
/* The record (RFC 9989 4.7, 4.8; RFC 7489 6.3 for what is out of use). */
#include "base/encode.h"
#include "mail/address.h"
#include "mailauth/dkim_tags.h"
#include "mailauth/dmarc.h"

enum { RECORD_MAX = 16 << 10, NOT_SAID = -1, MALFORMED = -2 };

struct tags {
	str values[9]; /* STR_NONE: not there */
	bool twice;
};
enum tag { TAG_P, TAG_SP, TAG_NP, TAG_ADKIM, TAG_ASPF, TAG_T, TAG_PCT, TAG_PSD, TAG_FO };

static const char *const tag_names[] = {"p", "sp", "np", "adkim", "aspf", "t", "pct", "psd", "fo"};

/* --- reporting URIs (RFC 9989 4.6) --- */

/* "10m" (RFC 7489 6.2) */
static bool read_size(str text, uint64_t *out)
{
	size_t unit = text.n == 0 ? 4 : str_find(STR("kmgt"), (char)(text.p[text.n - 1] | 0x20));

	if (unit < 4)
		text.n--;
	if (!str_to_u64(text, UINT32_MAX, out))
		return false;
	*out <<= unit < 4 ? 10 * (unit + 1) : 0;
	return true;
}

static bool read_uri(str uri, struct arena *a, str *to, uint64_t *max)
{
	struct address address;
	str size, path;

	*max = 0;
	if (str_cut(uri, '!', &uri, &size) && !read_size(size, max))
		return false;
	if (!str_starts_nocase(uri, STR("mailto:")))
		return false;
	(void)!str_cut(str_drop(uri, 7), '?', &path, &(str){0});
	*to = percent_decode(a, path);
	return to->n > 0 && !str_has_control(*to) && address_parse(*to, true, &address) == OK && !address.literal;
}

static void read_uris(str list, struct arena *a, struct dmarc_record *out)
{
	str item;

	while (out->rua_n < DMARC_URIS_MAX && dkim_tags_item(&list, ',', &item))
		if (read_uri(item, a, &out->rua[out->rua_n], &out->rua_max[out->rua_n]))
			out->rua_n++;
}

/* --- tags --- */

/* RFC 9989 4.8: what is malformed or not known is passed over. RFC 6376 3.2: nothing may be there twice. */
static void take_tag(str item, struct tags *t, str *rua)
{
	str name, value;

	if (!str_cut(item, '=', &name, &value))
		return;
	name = str_trim(name);
	value = str_trim(value);
	if (str_equal_nocase(name, STR("rua"))) {
		t->twice = t->twice || rua->p != NULL;
		*rua = value.p == NULL ? STR("") : value;
	}
	for (size_t i = 0; i < ARRAY_LEN(tag_names); i++) {
		if (!str_equal_nocase(name, str_from(tag_names[i])))
			continue;
		t->twice = t->twice || t->values[i].p != NULL;
		t->values[i] = value.p == NULL ? STR("") : value;
	}
}

static int read_policy(str value)
{
	if (value.p == NULL)
		return NOT_SAID;
	if (str_equal_nocase(value, STR("none")))
		return DMARC_NONE;
	if (str_equal_nocase(value, STR("quarantine")))
		return DMARC_QUARANTINE;
	return str_equal_nocase(value, STR("reject")) ? DMARC_REJECT : MALFORMED;
}

/* RFC 9989 4.10.1: without policies that can be read, a record still says where reports go. */
static err read_policies(const struct tags *t, struct dmarc_record *out)
{
	int p = read_policy(t->values[TAG_P]), sp = read_policy(t->values[TAG_SP]), np = read_policy(t->values[TAG_NP]);

	if (p < 0 || sp == MALFORMED || np == MALFORMED) {
		if (out->rua_n > 0)
			return OK; /* as if it said none, to all */
		return err_note(E_SYNTAX, "%s, and nowhere to report to",
		                p == NOT_SAID ? "no p=" : "a malformed policy");
	}
	out->p = (enum dmarc_policy)p;
	out->sp = sp >= 0 ? (enum dmarc_policy)sp : out->p;
	out->np = np >= 0 ? (enum dmarc_policy)np : out->sp;
	return OK;
}

static bool is_letter(str value, const char *letter)
{
	return str_equal_nocase(value, str_from(letter));
}

static void read_flags(const struct tags *t, struct dmarc_record *out)
{
	uint64_t percent;

	out->strict_dkim = is_letter(t->values[TAG_ADKIM], "s");
	out->strict_spf = is_letter(t->values[TAG_ASPF], "s");
	out->testing = is_letter(t->values[TAG_T], "y");
	if (t->values[TAG_T].p == NULL && str_to_u64(t->values[TAG_PCT], 100, &percent))
		out->testing = percent == 0; /* RFC 9989 A.7 */
	out->psd = is_letter(t->values[TAG_PSD], "y") ? 'y' : is_letter(t->values[TAG_PSD], "n") ? 'n' : 'u';
}

/* dmarc-fo: each of 0, 1, d, s, with colons between them. */
static str read_fo(str value)
{
	str rest = value, item;

	while (dkim_tags_item(&rest, ':', &item))
		if (item.n != 1 || str_find(STR("01dsDS"), item.p[0]) == 6)
			return STR("0");
	return value.n > 0 ? value : STR("0");
}

static bool is_version(str item)
{
	str name, value;

	return str_cut(item, '=', &name, &value) && str_equal_nocase(str_trim(name), STR("v")) &&
	       str_equal(str_trim(value), STR("DMARC1"));
}

err dmarc_record_parse(str text, struct arena *a, struct dmarc_record *out)
{
	struct tags tags = {0};
	str rest = text, item = STR_NONE, rua = STR_NONE;

	*out = (struct dmarc_record){.text = text, .psd = 'u', .fo = STR("0")};
	if (!dkim_tags_item(&rest, ';', &item) || !is_version(item))
		return err_note(E_NOT_FOUND, "no record of DMARC");
	if (text.n > RECORD_MAX)
		return err_note(E_SYNTAX, "a record that is too long");
	while (dkim_tags_item(&rest, ';', &item))
		take_tag(item, &tags, &rua);
	read_flags(&tags, out);
	out->fo = read_fo(tags.values[TAG_FO]);
	read_uris(rua, a, out);
	if (a->full)
		return err_note(E_LIMIT, "no memory for a record");
	if (tags.twice)
		return err_note(E_SYNTAX, "a tag that is there twice");
	return read_policies(&tags, out);
}
