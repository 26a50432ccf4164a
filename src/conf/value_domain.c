/* SPDX-License-Identifier: ISC */
/* Domains: those whose mail is ours, and what becomes of it. */
#include "conf/hop.h"
#include "conf/reader.h"
#include "conf/value.h"

static struct config_domain *last_domain(struct reader *r)
{
	struct config *c = r->config;

	return c->domains_n == 0 ? NULL : &c->domains[c->domains_n - 1];
}

static void domain_read(struct reader *r, const struct setting *s, const struct token *word)
{
	struct config *c = r->config;
	struct config_domain *d = reader_append(r, (void **)&c->domains, &c->domains_n, sizeof(*d));

	(void)s;
	if (d == NULL)
		return;
	d->name = value_domain_name(r, word, word->text);
	(void)reader_once(r, word, arena_printf(&c->arena, "domain " STR_FMT, STR_ARG(d->name)));
}

static void domain_print(struct buf *out, const struct setting *s, const struct config *c)
{
	for (size_t i = 0; i < c->domains_n; i++) {
		const struct config_domain *d = &c->domains[i];

		buf_printf(out, "%s ", s->name);
		lexer_print_word(out, d->name);
		if (d->catchall.n > 0) {
			buf_puts(out, " { catchall ");
			lexer_print_word(out, d->catchall);
			buf_puts(out, " }");
		}
		if (d->relay) {
			buf_puts(out, " { relay ");
			hop_print(out, &d->hop);
			buf_puts(out, " }");
		}
		buf_putc(out, '\n');
	}
}

/* An inner server knows its recipients, and so there is nobody that nobody has. */
static bool is_one_or_the_other(struct reader *r, const struct token *word, const struct config_domain *d)
{
	if (!d->relay && d->catchall.n == 0)
		return true;
	reader_fault(r, word, "a domain that is relayed has no catchall");
	return false;
}

static void catchall_note(struct reader *r, const struct token *word, str address, str domain)
{
	struct catchall_use *use = arena_alloc(&r->config->arena, sizeof(*use));

	if (use == NULL)
		return;
	*use = (struct catchall_use){address, domain, r->source->name, *word, r->catchalls};
	r->catchalls = use;
}

static void catchall_read(struct reader *r, const struct setting *s, const struct token *word)
{
	size_t at = str_find_last(word->text, '@');
	str local = str_take(word->text, at);
	struct config_domain *d = last_domain(r);

	(void)s;
	if (d == NULL || !is_one_or_the_other(r, word, d))
		return;
	if (local.n == 0 || local.n > 64 || at == word->text.n) { /* RFC 5321 4.5.3.1.1 */
		reader_fault(r, word, "\"" STR_FMT "\" is not an address such as alice@example.org", WORD(word));
		return;
	}
	str domain = value_domain_name(r, word, str_drop(word->text, at + 1));
	d->catchall = arena_printf(&r->config->arena, STR_FMT "@" STR_FMT, STR_ARG(local), STR_ARG(domain));
	catchall_note(r, word, d->catchall, domain);
}

static void relay_read(struct reader *r, const struct setting *s, const struct token *word)
{
	struct config_domain *d = last_domain(r);
	bool good = d != NULL && is_one_or_the_other(r, word, d);

	if (good)
		d->relay = true;
	hop_read(r, s, word, good ? &d->hop : &r->nowhere);
}

static void unix_users_read(struct reader *r, const struct setting *s, const struct token *word)
{
	bool none = str_equal(word->text, str_from(s->none));

	r->config->unix_users = none ? STR_NONE : value_domain_name(r, word, word->text);
	r->unix_users = *word;
	r->unix_users_file = r->source->name;
}

static void unix_users_print(struct buf *out, const struct setting *s, const struct config *c)
{
	lexer_print_word(out, c->unix_users.n > 0 ? c->unix_users : str_from(s->none));
}

const struct value_type value_domain = {.grammar = "NAME", .read = domain_read, .print = domain_print};
const struct value_type value_catchall = {.grammar = "ADDRESS", .read = catchall_read};
const struct value_type value_unix_users = {.grammar = "NAME", .read = unix_users_read, .print = unix_users_print};
const struct value_type value_relay = {.more = "Ar HOST:PORT", .read = relay_read};
