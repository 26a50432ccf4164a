/* SPDX-License-Identifier: ISC */
#include "spam/tokens.h"

#include "mail/encoded_word.h"
#include "mail/header.h"
#include "spam/content.h"
#include "spam/tokens_content.h"
#include "spam/words.h"

enum { VALUE_MAX = 1000, FIELDS_MAX = 200, LINKS_TOKENS_MAX = 100 };

/* How the words of a field are told from those of others; "" only that it is there. Fields that we or those near us write say what was thought of a message
 * before: they are not looked at, lest a judgement confirms itself. */
static const struct {
	str name, prefix; /* prefix STR_NONE: not looked at */
	bool pairs;
} fields[] = {
	{STR("subject"), STR("subject:"), true},
	{STR("from"), STR("from:"), false},
	{STR("to"), STR("to:"), false},
	{STR("cc"), STR("to:"), false},
	{STR("reply-to"), STR("reply:"), false},
	{STR("x-mailer"), STR("mailer:"), false},
	{STR("user-agent"), STR("mailer:"), false},
	{STR("list-id"), STR("list:"), false},
	{STR("sender"), STR("sender:"), false},
	{STR("content-type"), STR("type:"), false},
	{STR("organization"), STR("org:"), false},
	{STR("return-path"), STR_NONE, false},
	{STR("delivered-to"), STR_NONE, false},
	{STR("received"), STR_NONE, false},
	{STR("received-spf"), STR_NONE, false},
	{STR("authentication-results"), STR_NONE, false},
	{STR("arc-seal"), STR_NONE, false},
	{STR("arc-message-signature"), STR_NONE, false},
	{STR("arc-authentication-results"), STR_NONE, false},
	{STR("dkim-signature"), STR_NONE, false},
	{STR("date"), STR_NONE, false},
	{STR("message-id"), STR("id:"), false},
};

static size_t find_field(str name)
{
	size_t i = 0;

	while (i < ARRAY_LEN(fields) && !str_equal_nocase(name, fields[i].name))
		i++;
	return i;
}

static void add_presence(struct words *w, str name)
{
	words_field(w, STR("has:"), false);
	words_add(w, name);
}

/* Domain of Message-ID, not what is made anew for each. */
static str without_local(str value)
{
	return str_drop(value, str_find_last(value, '@') + 1);
}

static void add_field(struct words *w, const struct header_field *f)
{
	BUF(text, 2 * VALUE_MAX);
	size_t i = find_field(f->name);

	if (i < ARRAY_LEN(fields) && fields[i].prefix.n == 0)
		return;
	if (str_starts_nocase(f->name, STR("X-Spam")) || str_starts_nocase(f->name, STR("X-Pombo")))
		return;
	add_presence(w, f->name);
	if (i == ARRAY_LEN(fields))
		return;
	encoded_words_decode(&text, str_take(f->value, VALUE_MAX));
	words_field(w, fields[i].prefix, fields[i].pairs);
	words_of_text(w, str_equal_nocase(f->name, STR("Message-ID")) ? without_local(buf_str(&text)) : buf_str(&text));
}

static void add_header(struct words *w, str header)
{
	struct header_field f;
	size_t n = 0;

	for (size_t at = 0; n < FIELDS_MAX && header_next(header, &at, &f); n++)
		add_field(w, &f);
}

/* A host and each domain above it: "a.b.example" says less than "b.example" does of what comes next. */
static void add_host(struct words *w, str host)
{
	for (size_t labels = 0; labels < 4 && host.n > 0; labels++) {
		words_add(w, host);
		size_t dot = str_find(host, '.');
		host = str_drop(host, dot + 1);
		if (str_find(host, '.') == host.n)
			return;
	}
}

static void add_links(struct words *w, const struct content *c)
{
	for (size_t i = 0; i < c->links_n && i < LINKS_TOKENS_MAX; i++) {
		const struct content_link *l = &c->links[i];
		words_field(w, l->kind == HTML_IMAGE ? STR("image:") : STR("link:"), false);
		if (l->host.address)
			words_add(w, STR("address"));
		else
			add_host(w, l->host.name);
	}
}

static void add_parts(struct words *w, const struct content *c)
{
	words_field(w, STR("part:"), false);
	for (size_t i = 0; i < c->mime.n && i < FIELDS_MAX; i++) {
		const struct mime_part *p = &c->mime.parts[i];
		words_add(w, p->type);
		words_add(w, p->subtype);
		words_add(w, p->encoding);
	}
}

err tokens_of_content(const struct content *c, struct arena *a, struct token **out, size_t *n)
{
	struct words w;
	err e = words_begin(&w, a);

	if (e != OK)
		return e;
	add_header(&w, c->header);
	add_parts(&w, c);
	add_links(&w, c);
	words_field(&w, STR_NONE, true);
	words_of_text(&w, c->plain);
	w.before = 0;
	words_of_text(&w, c->html);
	*out = w.tokens;
	*n = w.n;
	return a->full ? err_note(E_LIMIT, "no memory for words") : OK;
}

err tokens_of(str message, struct arena *a, struct token **out, size_t *n)
{
	CLEANUP(content_free) struct content c;
	err e = content_read(message, &c);

	return e == OK ? tokens_of_content(&c, a, out, n) : e;
}
