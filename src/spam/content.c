/* SPDX-License-Identifier: ISC */
#include "spam/content.h"

#include "mail/header.h"

enum { TEXTS_MAX = 64 }; /* parts of a kind that are read */

/* A part's text is read as far as what is left of all text goes; its encoding may take three octets for one. Of HTML most may be tags: how much is read of all parts together
 * is limited, too. */
static struct mime_part cut_part(struct content *c, const struct mime_part *p)
{
	struct mime_part some = *p;
	size_t most = 3 * (CONTENT_TEXT_MAX - c->text.n), left = CONTENT_READ_MAX - c->read;

	some.body = str_take(p->body, most < left ? most : left);
	c->cut |= some.body.n < p->body.n;
	c->read += some.body.n;
	return some;
}

/* Most links of a message lead to where the one in front of them leads. */
static void find_host(struct content *c, struct content_link *l)
{
	str authority = url_authority(l->url);

	if (c->links_n > 0 && str_equal(authority, c->authority))
		l->host = c->links[c->links_n - 1].host;
	else if (!url_host(l->url, &c->arena, &l->host))
		l->host = (struct url_host){0};
	c->authority = authority;
}

static void add_link(struct content *c, struct content_link l)
{
	if (c->links_n == CONTENT_LINKS_MAX)
		return;
	find_host(c, &l);
	c->links[c->links_n++] = l;
}

static void read_plain(struct content *c, const struct mime_part *p)
{
	struct mime_part some = cut_part(c, p);

	if (!mime_text(&some, &c->arena, &c->scratch, &c->text))
		c->cut = true;
	if (c->text.n < CONTENT_TEXT_MAX)
		buf_putc(&c->text, '\n');
}

static err read_html(struct content *c, const struct mime_part *p)
{
	struct mime_part some = cut_part(c, p);
	BUF(source, CONTENT_TEXT_MAX);
	struct html h;

	if (!mime_text(&some, &c->arena, &c->scratch, &source))
		c->cut = true;
	err e = html_read(buf_str(&source), &c->arena, &c->text, &h);
	if (e != OK)
		return e;
	for (size_t i = 0; i < h.links_n; i++)
		add_link(c, (struct content_link){.kind = h.links[i].kind,
		                                  .html = true,
		                                  .url = h.links[i].url,
		                                  .from = h.links[i].from,
		                                  .text = {NULL, h.links[i].length}});
	c->tags += h.tags;
	c->images += h.images;
	c->hidden += h.hidden;
	c->scripts |= h.scripts;
	c->forms |= h.forms;
	c->html_n++;
	if (c->text.n < CONTENT_TEXT_MAX)
		buf_putc(&c->text, '\n');
	return OK;
}

static bool is_text(const struct mime_part *p)
{
	return p->kind == MIME_LEAF && mime_is(p, STR("text"), STR("")) && !mime_is_attachment(p);
}

static bool is_html(const struct mime_part *p)
{
	return mime_is(p, STR("text"), STR("html"));
}

static err read_parts(struct content *c)
{
	size_t middle, plains = 0;
	err e = OK;

	for (size_t i = 0; i < c->mime.n; i++)
		if (is_text(&c->mime.parts[i]) && !is_html(&c->mime.parts[i]) && ++plains <= TEXTS_MAX)
			read_plain(c, &c->mime.parts[i]);
	middle = c->text.n;
	for (size_t i = 0; i < c->mime.n && e == OK; i++) {
		const struct mime_part *p = &c->mime.parts[i];
		if (is_text(p) && is_html(p) && c->html_n < TEXTS_MAX)
			e = read_html(c, p);
		c->images += p->kind == MIME_LEAF && mime_is(p, STR("image"), STR(""));
	}
	c->cut |= plains > TEXTS_MAX || c->html_n == TEXTS_MAX;
	c->plain = str_take(buf_str(&c->text), middle);
	c->html = str_drop(buf_str(&c->text), middle);
	for (size_t i = 0; i < c->links_n; i++) /* the text lies still from now on */
		c->links[i].text = str_take(str_drop(buf_str(&c->text), c->links[i].from), c->links[i].text.n);
	return e;
}

static void find_plain_links(struct content *c)
{
	str rest = c->plain, url;

	while (c->links_n < CONTENT_LINKS_MAX && (url = url_next(&rest)).n > 0)
		add_link(c, (struct content_link){.kind = HTML_LINK, .url = str_take(url, HTML_URL_MAX)});
}

err content_read(str message, struct content *out)
{
	*out = (struct content){.arena = ARENA_INIT(CONTENT_MEMORY),
	                        .text = BUF_INIT(CONTENT_TEXT_MAX + 1),
	                        .scratch = BUF_INIT(CONTENT_TEXT_MAX)};
	out->header = str_take(message, header_size(str_take(message, CONTENT_HEADER_MAX)));
	out->links = (struct content_link *)(void *)arena_octets(&out->arena, CONTENT_LINKS_MAX * sizeof *out->links);
	err e = mime_read(message, &out->arena, &out->mime);
	if (e == OK)
		e = read_parts(out);
	if (e == OK)
		find_plain_links(out);
	return e == OK && out->arena.full ? err_note(E_LIMIT, "a message needs too much memory to be looked at") : e;
}

void content_free(struct content *c)
{
	buf_free(&c->text);
	buf_free(&c->scratch);
	arena_free(&c->arena);
}
