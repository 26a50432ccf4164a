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
	d->dkim = DKIM_RSA | DKIM_ED25519;
	d->spam = (struct config_thresholds){POINTS_UNSET, POINTS_UNSET, POINTS_UNSET};
	(void)reader_once(r, word, arena_printf(&c->arena, "domain " STR_FMT, STR_ARG(d->name)));
}

static void dkim_print(struct buf *out, unsigned dkim)
{
	if (dkim == (DKIM_RSA | DKIM_ED25519))
		return;
	buf_puts(out, " dkim");
	for (unsigned i = 0; dkim_names[i] != NULL; i++)
		if ((dkim & (1U << i)) != 0)
			buf_printf(out, " %s", dkim_names[i]);
	if (dkim == 0)
		buf_puts(out, " off");
}

static void own_points_print(struct buf *out, const char *option, int64_t own, int64_t all)
{
	if (own == all)
		return;
	buf_printf(out, " %s ", option);
	value_points_print(out, own);
}

static void domain_options(struct buf *out, const struct config_domain *d, const struct config_thresholds *all)
{
	if (d->catchall.n > 0) {
		buf_puts(out, " catchall ");
		lexer_print_word(out, d->catchall);
	}
	if (d->relay) {
		buf_puts(out, " relay ");
		hop_print(out, &d->hop);
	}
	dkim_print(out, d->dkim);
	if (d->dmarc != DMARC_OBEY)
		buf_printf(out, " dmarc %s", dmarc_names[d->dmarc]);
	own_points_print(out, "junk", d->spam.junk, all->junk);
	own_points_print(out, "quarantine", d->spam.quarantine, all->quarantine);
	own_points_print(out, "reject", d->spam.reject, all->reject);
}

static void domain_print(struct buf *out, const struct setting *s, const struct config *c)
{
	BUF(options, 4 << 10);

	for (size_t i = 0; i < c->domains_n; i++) {
		const struct config_domain *d = &c->domains[i];

		buf_printf(out, "%s ", s->name);
		lexer_print_word(out, d->name);
		buf_reset(&options);
		domain_options(&options, d, &c->spam.thresholds);
		if (options.n > 0)
			buf_printf(out, " {" STR_FMT " }", STR_ARG(buf_str(&options)));
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

/* --- signatures, policies, points --- */

static void dkim_read(struct reader *r, const struct setting *s, const struct token *word)
{
	struct config_domain *d = last_domain(r);
	int i = value_choice_index(s->choices, word->text);
	bool off = value_is_none(s, word->text);

	if (d != NULL && r->nth == 0)
		d->dkim = 0;
	if (off && r->nth > 0)
		reader_fault(r, word, "off stands alone");
	else if (i < 0 && !off)
		value_choice_fault(r, s->choices, word, "no such kind of signature:");
	else if (d != NULL && !off)
		d->dkim |= 1U << i;
}

static void dmarc_read(struct reader *r, const struct setting *s, const struct token *word)
{
	struct config_domain *d = last_domain(r);
	int i = value_choice_index(s->choices, word->text);

	if (i < 0)
		value_choice_fault(r, s->choices, word, "dmarc cannot be");
	else if (d != NULL)
		d->dmarc = (enum dmarc_obedience)i;
}

static void own_points_read(struct reader *r, const struct setting *s, const struct token *word)
{
	struct config_domain *d = last_domain(r);

	if (d != NULL)
		(void)value_points_word(r, s, word, (int64_t *)(void *)((char *)d + s->at));
}

const char *const dkim_names[] = {"rsa", "ed25519", NULL};
const char *const dmarc_names[] = {"obey", "junk", "ignore", NULL};

static void unix_users_read(struct reader *r, const struct setting *s, const struct token *word)
{
	bool none = value_is_none(s, word->text);

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
const struct value_type value_dkim = {.read = dkim_read};
const struct value_type value_dmarc = {.read = dmarc_read};
const struct value_type value_domain_points = {.grammar = "POINTS", .read = own_points_read};
const struct value_type value_relay = {.more = "Ar HOST:PORT", .read = relay_read};
