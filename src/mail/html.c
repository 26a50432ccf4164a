/* SPDX-License-Identifier: ISC */
#include "mail/html.h"

#include "base/cursor.h"
#include "mail/html_entity.h"

enum { STYLE_MAX = 400 };

struct reader {
	struct cursor c;
	struct arena *arena;
	struct buf *text;
	struct html *out;
	struct html_link *link; /* that is open */
	str hidden;             /* name of the element that is invisible, "" none */
	size_t nested;          /* elements of that name within it, and itself */
	bool coloured;          /* a background was named: what is white may be seen */
};

struct attributes { /* that matter; raw */
	str url, style, color, background;
	bool hidden;
};

static bool is_one_of(str name, const char *const *list)
{
	for (; name.n > 0 && *list != NULL; list++) /* most differ in their first octet */
		if ((name.p[0] | 0x20) == (**list | 0x20) && str_equal_nocase(name, str_from(*list)))
			return true;
	return false;
}

/* --- text --- */

static void put_break(struct reader *r)
{
	const struct buf *t = r->text;

	if (t->n > 0 && t->p[t->n - 1] != '\n')
		buf_putc(r->text, '\n');
}

static void put_text(struct reader *r, str text)
{
	if (r->hidden.n == 0)
		html_entities_decode(r->text, text);
	else
		r->out->hidden += str_trim(text).n;
}

/* --- attributes --- */

static bool is_blank(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '/';
}

static bool is_attribute_name(unsigned char c)
{
	return !is_blank(c) && c != '=' && c != '>';
}

static bool is_value(unsigned char c)
{
	return c != '>' && c != ' ' && c != '\t' && c != '\r' && c != '\n' && c != '\f';
}

static str take_value(struct cursor *c)
{
	int quote = cursor_peek(c);

	if (quote != '"' && quote != '\'')
		return cursor_take_while(c, is_value);
	(void)cursor_accept(c, (char)quote);
	str value = cursor_take_until(c, (char)quote);
	(void)cursor_accept(c, (char)quote);
	return value;
}

static void keep_attribute(struct attributes *a, str name, str value)
{
	static const char *const urls[] = {"href", "src", "action", NULL};
	static const char *const backgrounds[] = {"bgcolor", "background", NULL};

	if (is_one_of(name, urls))
		a->url = a->url.n == 0 ? value : a->url;
	else if (str_equal_nocase(name, STR("style")))
		a->style = value;
	else if (str_equal_nocase(name, STR("color")))
		a->color = value;
	else if (is_one_of(name, backgrounds))
		a->background = value;
	else if (str_equal_nocase(name, STR("hidden")))
		a->hidden = true;
}

/* Up to and with the ">". */
static struct attributes take_attributes(struct cursor *c)
{
	struct attributes a = {0};

	for (;;) {
		(void)cursor_take_while(c, is_blank);
		if (cursor_end(c) || cursor_accept(c, '>'))
			return a;
		str name = cursor_take_while(c, is_attribute_name), value = STR_NONE;
		(void)cursor_take_while(c, is_blank);
		if (cursor_accept(c, '=')) {
			(void)cursor_take_while(c, is_blank);
			value = take_value(c);
		}
		keep_attribute(&a, name, value);
	}
}

/* --- what cannot be seen --- */

static bool is_white(str color)
{
	static const char *const whites[] = {"white", "#ffffff", "#fff", "ffffff", "#fefefe", "#fffffe", NULL};

	return is_one_of(str_trim(color), whites);
}

/* Lower case, without blanks. */
static str squeeze(str style, char out[STYLE_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < style.n && n < STYLE_MAX; i++) {
		char c = style.p[i];
		if (c > ' ')
			out[n++] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
	}
	return str_make(out, n);
}

static bool is_hiding(str style)
{
	static const char *const ways[] = {
		"display:none", "visibility:hidden", "font-size:0",  "font-size:1px",  "font-size:1pt",
		"mso-hide:all", "opacity:0;",        "max-height:0", "line-height:0;", NULL};
	char memory[STYLE_MAX];
	str plain = squeeze(style, memory);

	for (const char *const *way = ways; plain.n > 0 && *way != NULL; way++)
		if (str_contains(plain, str_from(*way)) && !str_contains(plain, STR("font-size:0.")))
			return true;
	return false;
}

static bool is_invisible(const struct reader *r, const struct attributes *a)
{
	return a->hidden || is_hiding(a->style) || (!r->coloured && is_white(a->color));
}

/* Elements of one name nest: the invisible one ends where as many were closed as were opened. */
static void follow_hidden(struct reader *r, str name, bool closing)
{
	if (!str_equal_nocase(name, r->hidden))
		return;
	r->nested = closing ? r->nested - 1 : r->nested + 1;
	if (r->nested == 0)
		r->hidden = STR_NONE;
}

static void hide(struct reader *r, str name)
{
	static const char *const empty[] = {"br",  "img",  "hr",  "input", "meta", "link", "area",
	                                    "col", "base", "wbr", "p",     "li",   NULL};

	if (is_one_of(name, empty)) /* or often left open */
		return;
	r->hidden = name;
	r->nested = 1;
}

/* --- links --- */

static str clean_url(struct reader *r, str url)
{
	BUF(plain, HTML_URL_MAX);
	size_t n = 0;

	html_entities_decode(&plain, str_take(url, HTML_URL_MAX - 1));
	for (size_t i = 0; i < plain.n; i++) /* WHATWG URL 4.4: tabs and line ends are dropped */
		if ((unsigned char)plain.p[i] > ' ')
			plain.p[n++] = plain.p[i];
	return arena_str(r->arena, str_make(plain.p, n));
}

static void end_link(struct reader *r)
{
	if (r->link != NULL)
		r->link->length = r->text->n - r->link->from;
	r->link = NULL;
}

static void add_link(struct reader *r, enum html_link_kind kind, str url)
{
	struct html *o = r->out;

	if (kind == HTML_LINK)
		end_link(r);
	if (url.n == 0 || o->links_n == HTML_LINKS_MAX)
		return;
	if (o->links == NULL)
		o->links = (struct html_link *)(void *)arena_octets(r->arena, HTML_LINKS_MAX * sizeof *o->links);
	if (o->links == NULL)
		return;
	struct html_link *l = &o->links[o->links_n++];
	*l = (struct html_link){kind, clean_url(r, url), r->text->n, 0};
	if (kind == HTML_LINK)
		r->link = l;
}

/* --- tags --- */

/* Behind "</name>", wherever that is. */
static void skip_raw(struct reader *r, str name)
{
	while (!cursor_end(&r->c)) {
		(void)cursor_take_until(&r->c, '<');
		if (!cursor_accept(&r->c, '<') || !cursor_accept(&r->c, '/'))
			continue;
		if (!cursor_accept_nocase(&r->c, name))
			continue;
		(void)cursor_take_until(&r->c, '>');
		(void)cursor_accept(&r->c, '>');
		return;
	}
}

static bool begins_line(str name)
{
	static const char *const blocks[] = {"p",          "br",      "div",     "td",     "th",    "tr",   "table",
	                                     "li",         "ul",      "ol",      "h1",     "h2",    "h3",   "h4",
	                                     "h5",         "h6",      "hr",      "dd",     "dt",    "pre",  "center",
	                                     "blockquote", "section", "article", "option", "title", "body", NULL};

	return is_one_of(name, blocks);
}

static void open_element(struct reader *r, str name, const struct attributes *a)
{
	static const char *const raw[] = {"script", "style", NULL};
	bool image = str_equal_nocase(name, STR("img"));

	if (a->background.n > 0 && !is_white(a->background))
		r->coloured = true;
	if (r->hidden.n > 0)
		follow_hidden(r, name, false);
	else if (is_invisible(r, a))
		hide(r, name);
	if (str_equal_nocase(name, STR("a")) || str_equal_nocase(name, STR("area")))
		add_link(r, HTML_LINK, a->url);
	else if (image)
		add_link(r, HTML_IMAGE, a->url);
	r->out->images += image;
	if (str_equal_nocase(name, STR("form"))) {
		r->out->forms = true;
		add_link(r, HTML_FORM, a->url);
	}
	if (is_one_of(name, raw)) {
		r->out->scripts |= str_equal_nocase(name, STR("script"));
		skip_raw(r, name);
	}
}

static bool is_letter(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_tag_name(unsigned char c)
{
	return !is_blank(c) && c != '>';
}

static void read_tag(struct reader *r)
{
	bool closing = cursor_accept(&r->c, '/');
	str name = cursor_take_while(&r->c, is_tag_name);
	struct attributes a = take_attributes(&r->c);

	r->out->tags++;
	if (begins_line(name) && r->hidden.n == 0)
		put_break(r);
	if (!closing) {
		open_element(r, name, &a);
		return;
	}
	if (r->hidden.n > 0)
		follow_hidden(r, name, true);
	if (str_equal_nocase(name, STR("a")))
		end_link(r);
}

/* "<!-- ... -->", "<!DOCTYPE ...>", "<?xml ...>". Without an end: all the rest. */
static void skip_declaration(struct reader *r)
{
	bool comment = cursor_accept_str(&r->c, STR("!--"));

	while (!cursor_end(&r->c)) {
		str before = cursor_take_until(&r->c, '>');
		(void)cursor_accept(&r->c, '>');
		if (!comment || before.n == 0 || str_ends(before, STR("--")))
			return;
	}
}

/* Behind "<". */
static void read_markup(struct reader *r)
{
	int next = cursor_peek(&r->c);
	str rest = cursor_rest(&r->c);

	if (next == '!' || next == '?')
		skip_declaration(r);
	else if (is_letter(next) || (next == '/' && rest.n > 1 && is_letter((unsigned char)rest.p[1])))
		read_tag(r);
	else
		put_text(r, STR("<"));
}

err html_read(str source, struct arena *a, struct buf *text, struct html *out)
{
	struct reader r = {.c = cursor_of(source), .arena = a, .text = text, .out = out};

	*out = (struct html){0};
	while (!cursor_end(&r.c) && !text->full && text->n < text->cap) {
		put_text(&r, cursor_take_until(&r.c, '<'));
		if (cursor_accept(&r.c, '<'))
			read_markup(&r);
	}
	end_link(&r);
	return a->full ? err_note(E_LIMIT, "a message's links need more memory than there is") : OK;
}
