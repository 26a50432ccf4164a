/* SPDX-License-Identifier: ISC */
/* What a reader sees of it, and what not. */
#include <idn2.h>
#include <stdlib.h>

#include "spam/judging.h"

enum { TEXT_TINY = 100, HIDDEN_MIN = 300, SPLIT_MIN = 3, BASE64_MIN = 200, HOST_MAX = 253 };

static size_t count_visible(str text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++)
		n += (unsigned char)text.p[i] > ' ';
	return n;
}

static bool is_visible(str text)
{
	size_t at = 0;

	while (at < text.n && (unsigned char)text.p[at] <= ' ')
		at++;
	return at < text.n;
}

static bool is_letter(char c)
{
	return (unsigned char)c >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Characters without a width between two letters: U+200B to U+200D, U+2060, U+FEFF, U+00AD. Joiners are at home in scripts other than Latin. */
static size_t count_split(str text)
{
	static const str marks[] = {STR("\xe2\x80\x8b"), STR("\xe2\x80\x8c"), STR("\xe2\x80\x8d"),
	                            STR("\xe2\x81\xa0"), STR("\xef\xbb\xbf"), STR("\xc2\xad")};
	size_t n = 0;

	if (str_is_ascii(text))
		return 0;
	for (size_t i = 1; i + 3 < text.n; i++) {
		if ((unsigned char)text.p[i] < 0xc2)
			continue;
		for (size_t k = 0; k < ARRAY_LEN(marks); k++) {
			str behind = str_drop(text, i + marks[k].n);
			if (str_starts(str_drop(text, i), marks[k]) && (unsigned char)text.p[i - 1] < 0x80 &&
			    is_letter(text.p[i - 1]) && behind.n > 0 && (unsigned char)behind.p[0] < 0x80 &&
			    is_letter(behind.p[0]))
				n++;
		}
	}
	return n;
}

static void look_at_text(struct judging *j)
{
	const struct content *c = &j->content;
	bool counts = c->images > 0 || c->hidden >= HIDDEN_MIN; /* else it need not be counted */
	size_t visible = counts ? count_visible(buf_str(&c->text)) : 0, split = count_split(buf_str(&c->text));

	if (c->mime.too_deep || c->mime.too_many)
		judging_hit(j, RULE_MIME_EXTREME, "%zu parts, and more that are not looked at", c->mime.n);
	if (c->html_n > 0 && !is_visible(c->plain))
		judging_hit(j, RULE_HTML_ONLY, "%zu HTML parts and no text", c->html_n);
	if (c->images > 0 && visible < TEXT_TINY)
		judging_hit(j, RULE_HTML_IMAGE, "%zu images, %zu characters of text", c->images, visible);
	if (c->hidden >= HIDDEN_MIN && c->hidden > visible)
		judging_hit(j, RULE_TEXT_HIDDEN, "%zu octets of it, %zu are seen", c->hidden, visible);
	if (split >= SPLIT_MIN)
		judging_hit(j, RULE_TEXT_SPLIT, "%zu times", split);
	if (c->scripts)
		judging_hit(j, RULE_HTML_SCRIPT, "it has one");
	if (c->forms)
		judging_hit(j, RULE_HTML_FORM, "it has one");
}

static void look_at_encodings(struct judging *j)
{
	for (size_t i = 0; i < j->content.mime.n; i++) {
		const struct mime_part *p = &j->content.mime.parts[i];
		if (p->kind == MIME_LEAF && mime_is(p, STR("text"), STR("")) && !mime_is_attachment(p) &&
		    p->body.n >= BASE64_MIN && str_equal_nocase(p->encoding, STR("base64")) &&
		    str_is_ascii(buf_str(&j->content.text))) {
			judging_hit(j, RULE_TEXT_BASE64, STR_FMT "/" STR_FMT, STR_ARG(p->type), STR_ARG(p->subtype));
			return;
		}
	}
}

/* --- links --- */

static bool has_letter_of(str label, uint32_t from, uint32_t to)
{
	uint32_t code = 0;

	for (size_t n; label.n > 0; label = str_drop(label, n)) {
		n = str_utf8_char(label, &code);
		if (n == 0)
			return false;
		if (code >= from && code <= to)
			return true;
	}
	return false;
}

/* A label in two of Latin, Greek and Cyrillic: no language writes so. */
static bool is_mixed(str host)
{
	char z[HOST_MAX + 1], *unicode = NULL;
	bool mixed = false;

	if (host.n > HOST_MAX || !str_contains(host, STR("xn--")))
		return false;
	memcpy(z, host.p, host.n);
	z[host.n] = 0;
	if (idn2_to_unicode_8z8z(z, &unicode, 0) != IDN2_OK)
		return false;
	str rest = str_from(unicode), label;
	for (bool more = true; more && !mixed;) {
		more = str_cut(rest, '.', &label, &rest);
		bool latin = has_letter_of(label, 'a', 'z'), greek = has_letter_of(label, 0x370, 0x3ff),
		     cyrillic = has_letter_of(label, 0x400, 0x52f);
		mixed = latin + greek + cyrillic > 1;
	}
	idn2_free(unicode);
	return mixed;
}

/* Is a word without "http://" meant as a host? "readme.txt" and "e.g." are not. */
static bool is_meant_as_host(str name)
{
	static const char *const endings[] = {".com", ".net", ".org", ".info", ".biz", ".edu", ".gov", NULL};

	for (const char *const *ending = endings; *ending != NULL; ending++)
		if (str_ends(name, str_from(*ending)))
			return true;
	return !str_equal(judging_registered(name), name);
}

/* The host that the shown text names, when that is all it says. */
static bool shown_host(struct judging *j, str text, struct url_host *out)
{
	str word = str_word(&text);

	if (word.n == 0 || str_trim(text).n > 0 || str_find(word, '@') < word.n)
		return false;
	if (url_host(word, &j->own, out))
		return !out->address;
	str as_url = arena_printf(&j->own, "http://" STR_FMT, STR_ARG(word));
	return url_host(as_url, &j->own, out) && !out->address && is_meant_as_host(out->name);
}

static bool leads_elsewhere(struct judging *j, const struct content_link *l)
{
	struct url_host shown;

	if (!l->html || l->kind != HTML_LINK || l->text.n == 0 || !shown_host(j, str_take(l->text, 300), &shown))
		return false;
	return l->host.address || !str_equal(judging_registered(shown.name), judging_registered(l->host.name));
}

/* Each rule once: the first link that shows it. */
static void look_at_links(struct judging *j)
{
	enum rule found[] = {RULE_LINK_ADDRESS, RULE_LINK_USER, RULE_LINK_MIXED, RULE_LINK_OTHER};
	bool said[ARRAY_LEN(found)] = {0};

	for (size_t i = 0; i < j->content.links_n; i++) {
		const struct content_link *l = &j->content.links[i];
		if (l->host.name.n == 0)
			continue;
		bool is[] = {l->host.address, l->host.user, is_mixed(l->host.name), !said[3] && leads_elsewhere(j, l)};
		for (size_t k = 0; k < ARRAY_LEN(found); k++)
			if (is[k] && !said[k]) {
				said[k] = true;
				judging_hit(j, found[k], STR_FMT "%s" STR_FMT, STR_ARG(str_take(l->url, 100)),
				            k == 3 ? ", shown as " : "",
				            STR_ARG(k == 3 ? str_take(str_trim(l->text), 80) : STR_NONE));
			}
	}
}

void judge_content(struct judging *j)
{
	look_at_text(j);
	look_at_encodings(j);
	look_at_links(j);
}
