/* SPDX-License-Identifier: ISC */
/* oauth introspect|jwks URL ...: who says whether a token is good. */
#include "conf/reader.h"
#include "conf/url.h"
#include "conf/value.h"

enum { FIELD_MAX = 100 };

const char *const oauth_names[] = {"introspect", "jwks", NULL};

static void url_read(struct reader *r, const struct setting *s, const struct token *word)
{
	struct url url;

	(void)s;
	if (url_parse(word->text, &url) != OK)
		reader_fault(r, word, "\"" STR_FMT "\": %s", WORD(word), err_info()->text);
	r->config->oauth.url = arena_str(&r->config->arena, word->text);
}

static const struct value_type value_oauth_url = {.grammar = "URL", .read = url_read};

static void kind_read(struct reader *r, const struct setting *s, const struct token *word)
{
	int i = value_choice_index(s->choices, word->text);

	r->then = &value_oauth_url;
	if (i < 0)
		value_choice_fault(r, s->choices, word, "oauth cannot be");
	else
		r->config->oauth.kind = i == 0 ? OAUTH_INTROSPECT : OAUTH_JWKS;
}

/* --- client ID secret-file FILE --- */

static void secret_file_read(struct reader *r, const struct setting *s, const struct token *word)
{
	(void)s;
	r->config->oauth.secret_file = value_file_name(r, word);
}

static const struct value_type value_secret_file = {.grammar = "FILE", .read = secret_file_read};

static void secret_word_read(struct reader *r, const struct setting *s, const struct token *word)
{
	(void)s;
	if (!str_equal(word->text, STR("secret-file")))
		reader_fault(r, word, "behind the name of the client stands secret-file FILE");
	r->then = &value_secret_file;
}

static const struct value_type value_secret_word = {.grammar = "secret-file FILE", .read = secret_word_read};

/* What is compared octet by octet, or sent: one line. */
static str line_of(struct reader *r, const struct setting *s, const struct token *word)
{
	if (word->text.n == 0 || str_has_control(word->text) || word->text.n > URL_MAX)
		reader_fault(r, word, "\"" STR_FMT "\" cannot be the %s", WORD(word), s->option);
	return arena_str(&r->config->arena, word->text);
}

static void client_read(struct reader *r, const struct setting *s, const struct token *word)
{
	r->then = &value_secret_word;
	r->config->oauth.client = line_of(r, s, word);
}

/* --- what is asked of a token --- */

static void text_read(struct reader *r, const struct setting *s, const struct token *word)
{
	*(str *)value_field(r->config, s) = line_of(r, s, word);
}

static bool is_field(str name)
{
	bool good = name.n > 0 && name.n <= FIELD_MAX;

	for (size_t i = 0; i < name.n; i++)
		good = good && name.p[i] > ' ' && name.p[i] < 0x7f;
	return good;
}

static void field_read(struct reader *r, const struct setting *s, const struct token *word)
{
	(void)s;
	if (!is_field(word->text))
		reader_fault(r, word, "\"" STR_FMT "\" is not the name of a claim, such as email", WORD(word));
	r->config->oauth.user = arena_str(&r->config->arena, word->text);
}

/* --- printing --- */

static void word_print(struct buf *out, const char *option, str word)
{
	if (word.n == 0)
		return;
	buf_printf(out, " %s ", option);
	lexer_print_word(out, word);
}

static void oauth_print(struct buf *out, const struct setting *s, const struct config *c)
{
	const struct config_oauth *o = &c->oauth;

	if (o->kind == OAUTH_NONE)
		return;
	buf_printf(out, "%s %s ", s->name, oauth_names[o->kind == OAUTH_JWKS]);
	lexer_print_word(out, o->url);
	word_print(out, "client", o->client);
	word_print(out, "secret-file", o->secret_file);
	word_print(out, "issuer", o->issuer);
	word_print(out, "audience", o->audience);
	word_print(out, "user", o->user);
	if (o->kind == OAUTH_INTROSPECT)
		buf_puts(out, " cache ");
	if (o->kind == OAUTH_INTROSPECT && o->cache == 0)
		buf_puts(out, "off");
	else if (o->kind == OAUTH_INTROSPECT)
		value_time.format(out, o->cache);
	buf_putc(out, '\n');
}

const struct value_type value_oauth = {.more = "Ar URL", .read = kind_read, .print = oauth_print};
const struct value_type value_oauth_client = {.grammar = "ID", .more = "Cm secret-file Ar FILE", .read = client_read};
const struct value_type value_oauth_text = {.grammar = "NAME", .read = text_read};
const struct value_type value_oauth_user = {.grammar = "CLAIM", .read = field_read};
