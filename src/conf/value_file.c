/* SPDX-License-Identifier: ISC */
/* Files that the configuration names, certificates and their keys among them. */
#include "conf/reader.h"
#include "conf/value.h"

str value_file_name(struct reader *r, const struct token *word)
{
	if (!str_starts(word->text, STR("/")) || str_find(word->text, '\0') < word->text.n)
		reader_fault(r, word, "\"" STR_FMT "\" is not an absolute path", WORD(word));
	return arena_str(&r->config->arena, word->text);
}

static void file_read(struct reader *r, const struct setting *s, const struct token *word)
{
	*(str *)value_field(r->config, s) = value_is_none(s, word->text) ? STR_NONE : value_file_name(r, word);
}

static void file_print(struct buf *out, const struct setting *s, const struct config *c)
{
	str name = *(const str *)value_field_of(c, s);

	lexer_print_word(out, name.n == 0 ? str_from(s->none) : name);
}

static void authorities_read(struct reader *r, const struct setting *s, const struct token *word)
{
	if (reader_once(r, word, STR("tls authorities")))
		file_read(r, s, word);
}

static void certificate_read(struct reader *r, const struct setting *s, const struct token *word)
{
	struct config *c = r->config;
	struct config_certificate *new;

	(void)s;
	if (c->certificates_n > 0 && c->certificates[c->certificates_n - 1].key.n == 0) {
		reader_fault(r, word, "the certificate before this one has no key");
		return;
	}
	new = reader_append(r, (void **)&c->certificates, &c->certificates_n, sizeof(*new));
	if (new != NULL)
		new->certificate = value_file_name(r, word);
}

static void key_read(struct reader *r, const struct setting *s, const struct token *word)
{
	struct config *c = r->config;
	struct config_certificate *last = c->certificates_n == 0 ? NULL : &c->certificates[c->certificates_n - 1];

	(void)s;
	if (last == NULL || last->key.n > 0)
		reader_fault(r, word, "a key follows its certificate: tls certificate FILE key FILE");
	else
		last->key = value_file_name(r, word);
}

static void certificate_print(struct buf *out, const struct setting *s, const struct config *c)
{
	for (size_t i = 0; i < c->certificates_n; i++) {
		buf_printf(out, "%s certificate ", s->name);
		lexer_print_word(out, c->certificates[i].certificate);
		buf_puts(out, " key ");
		lexer_print_word(out, c->certificates[i].key);
		buf_putc(out, '\n');
	}
	buf_printf(out, "%s client-certificates %s\n", s->name,
	           c->client_certificates == CLIENT_CERTIFICATES_ASK ? "ask" : "off");
	buf_printf(out, "%s authorities ", s->name);
	lexer_print_word(out, c->authorities.n == 0 ? STR("system") : c->authorities);
	buf_putc(out, '\n');
}

const struct value_type value_certificate = {.grammar = "FILE", .read = certificate_read, .print = certificate_print};
const struct value_type value_key = {.grammar = "FILE", .read = key_read};
const struct value_type value_file = {.grammar = "FILE", .read = file_read, .print = file_print};
const struct value_type value_authorities = {.grammar = "FILE", .read = authorities_read};
