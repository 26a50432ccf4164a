/* SPDX-License-Identifier: ISC */
/* Points, lists of the DNS, rules, programs beside us. */
#include "conf/points.h"
#include "conf/reader.h"
#include "conf/value.h"

/* --- points --- */

bool value_points_word(struct reader *r, const struct setting *s, const struct token *word, int64_t *points)
{
	if (value_is_none(s, word->text)) {
		*points = CONFIG_POINTS_NEVER;
		return true;
	}
	if (points_parse(word->text, points))
		return true;
	reader_fault(r, word, "\"" STR_FMT "\" is not a number of points such as 5, 2.5 or -0.25%s%s", WORD(word),
	             s->none != NULL ? ", nor " : "", s->none != NULL ? s->none : "");
	return false;
}

void value_points_print(struct buf *out, int64_t points)
{
	if (points == CONFIG_POINTS_NEVER)
		buf_puts(out, "never");
	else
		points_print(out, points);
}

static void points_read(struct reader *r, const struct setting *s, const struct token *word)
{
	(void)value_points_word(r, s, word, value_field(r->config, s));
}

static void points_value_print(struct buf *out, const struct setting *s, const struct config *c)
{
	value_points_print(out, *(const int64_t *)value_field_of(c, s));
}

const struct value_type value_points = {.grammar = "POINTS", .read = points_read, .print = points_value_print};

/* --- days --- */

enum { DAY_SECONDS = 86400 };

static bool days_scan(str word, uint64_t *v)
{
	const uint64_t day = DAY_SECONDS * (uint64_t)NSEC_PER_SEC;
	uint64_t time;

	if (!value_time.scan(word, &time) || time % day != 0)
		return false;
	*v = time / day;
	return true;
}

static void days_format(struct buf *out, uint64_t v)
{
	buf_u64(out, v);
	buf_putc(out, 'd');
}

static void days_read(struct reader *r, const struct setting *s, const struct token *word)
{
	value_count.read(r, s, word);
}

static void days_print(struct buf *out, const struct setting *s, const struct config *c)
{
	value_count.print(out, s, c);
}

const struct value_type value_days = {
	"DAYS", NULL, days_read, days_print, days_scan, days_format, "a number of days such as 60d"};

/* --- arc trust --- */

static void trusted_read(struct reader *r, const struct setting *s, const struct token *word)
{
	struct config *c = r->config;
	str *more;

	if (r->nth == 0)
		c->arc_trust_n = 0;
	if (r->nth == 0 && value_is_none(s, word->text))
		return;
	more = reader_append(r, (void **)&c->arc_trust, &c->arc_trust_n, sizeof(*more));
	if (more != NULL)
		*more = value_domain_name(r, word, word->text);
}

static void trusted_print(struct buf *out, const struct setting *s, const struct config *c)
{
	if (c->arc_trust_n == 0)
		buf_puts(out, s->none);
	for (size_t i = 0; i < c->arc_trust_n; i++)
		buf_printf(out, "%s" STR_FMT, i > 0 ? " " : "", STR_ARG(c->arc_trust[i]));
}

const struct value_type value_trusted = {.grammar = "DOMAIN", .read = trusted_read, .print = trusted_print};

/* --- dnsbl, uribl --- */

enum { BLOCKLIST_POINTS = 4000 };

static bool lists_domains(const struct setting *s)
{
	return strcmp(s->name, "uribl") == 0;
}

static void zone_read(struct reader *r, const struct setting *s, const struct token *word)
{
	struct config *c = r->config;
	struct config_blocklist *list = reader_append(r, (void **)&c->blocklists, &c->blocklists_n, sizeof(*list));

	if (list == NULL)
		return;
	*list = (struct config_blocklist){value_domain_name(r, word, word->text), lists_domains(s), BLOCKLIST_POINTS};
	(void)reader_once(r, word, arena_printf(&c->arena, "%s " STR_FMT, s->name, STR_ARG(list->zone)));
}

static void zone_points_read(struct reader *r, const struct setting *s, const struct token *word)
{
	struct config *c = r->config;

	if (c->blocklists_n > 0)
		(void)value_points_word(r, s, word, &c->blocklists[c->blocklists_n - 1].points);
}

static void zones_print(struct buf *out, const struct setting *s, const struct config *c)
{
	for (size_t i = 0; i < c->blocklists_n; i++) {
		const struct config_blocklist *list = &c->blocklists[i];

		if (list->domains != lists_domains(s))
			continue;
		buf_printf(out, "%s " STR_FMT " points ", s->name, STR_ARG(list->zone));
		value_points_print(out, list->points);
		buf_putc(out, '\n');
	}
}

const struct value_type value_zone = {.grammar = "ZONE", .read = zone_read, .print = zones_print};
const struct value_type value_zone_points = {.grammar = "POINTS", .read = zone_points_read};

/* --- rule --- */

static bool is_rule_name(str name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
	bool good = name.n > 0 && name.n <= 64;

	for (size_t i = 0; i < name.n; i++)
		good = good && memchr(allowed, name.p[i], sizeof(allowed) - 1) != NULL;
	return good;
}

static void rule_points_read(struct reader *r, const struct setting *s, const struct token *word)
{
	struct config *c = r->config;

	if (c->rules_n > 0)
		(void)value_points_word(r, s, word, &c->rules[c->rules_n - 1].points);
}

static const struct value_type value_rule_points = {.grammar = "POINTS", .read = rule_points_read};

static void points_word_read(struct reader *r, const struct setting *s, const struct token *word)
{
	(void)s;
	if (str_equal(word->text, STR("points")))
		r->then = &value_rule_points;
	else
		reader_fault(r, word, "behind the name of the rule stands points POINTS");
}

static const struct value_type value_points_word_type = {.grammar = "points POINTS", .read = points_word_read};

static void rule_read(struct reader *r, const struct setting *s, const struct token *word)
{
	struct config *c = r->config;
	struct config_rule *rule = reader_append(r, (void **)&c->rules, &c->rules_n, sizeof(*rule));

	(void)s;
	r->then = &value_points_word_type;
	if (rule == NULL)
		return;
	if (!is_rule_name(word->text))
		reader_fault(r, word, "\"" STR_FMT "\" is not the name of a rule", WORD(word));
	*rule = (struct config_rule){arena_str(&c->arena, word->text), 0};
	(void)reader_once(r, word, arena_printf(&c->arena, "rule " STR_FMT, STR_ARG(rule->name)));
}

static void rules_print(struct buf *out, const struct setting *s, const struct config *c)
{
	for (size_t i = 0; i < c->rules_n; i++) {
		buf_printf(out, "%s " STR_FMT " points ", s->name, STR_ARG(c->rules[i].name));
		value_points_print(out, c->rules[i].points);
		buf_putc(out, '\n');
	}
}

const struct value_type value_rule = {
	.grammar = "NAME", .more = "Cm points Ar POINTS", .read = rule_read, .print = rules_print};

/* --- scanner --- */

const char *const scanner_fail_names[] = {"open", "closed", NULL};
const char *const scanner_mail_names[] = {"in", "out", "all", NULL};
const char *const scanner_names[] = {"rspamd", "spamd", "clamd", "milter", NULL};

static struct config_scanner *last_scanner(struct reader *r)
{
	struct config *c = r->config;

	return c->scanners_n == 0 ? NULL : &c->scanners[c->scanners_n - 1];
}

static void scanner_address_read(struct reader *r, const struct setting *s, const struct token *word)
{
	struct config_scanner *scanner = last_scanner(r);

	(void)s;
	if (scanner == NULL)
		return;
	if (net_address_parse(word->text, &scanner->address) != OK)
		reader_fault(r, word,
		             "\"" STR_FMT "\" is not an address such as 127.0.0.1:11333 or unix:/run/clamav/clamd.ctl",
		             WORD(word));
	scanner->text = arena_str(&r->config->arena, word->text);
}

static const struct value_type value_scanner_address = {.grammar = "ADDRESS", .read = scanner_address_read};

static void scanner_read(struct reader *r, const struct setting *s, const struct token *word)
{
	struct config *c = r->config;
	struct config_scanner *scanner = reader_append(r, (void **)&c->scanners, &c->scanners_n, sizeof(*scanner));
	int kind = value_choice_index(s->choices, word->text);

	r->then = &value_scanner_address;
	if (kind < 0)
		value_choice_fault(r, s->choices, word, "no such program");
	if (scanner == NULL)
		return;
	*scanner = (struct config_scanner){.kind = kind < 0 ? SCANNER_RSPAMD : (enum scanner_kind)kind,
	                                   .timeout = 10 * NSEC_PER_SEC,
	                                   .mail = kind == SCANNER_MILTER ? SCANNER_IN | SCANNER_OUT : SCANNER_IN};
}

/* The index of the word among the setting's choices, 0 behind a fault. */
static unsigned choice_of(struct reader *r, const struct setting *s, const struct token *word)
{
	int i = value_choice_index(s->choices, word->text);
	BUF(what, 64);

	buf_printf(&what, "%s cannot be", s->option);
	buf_putc(&what, '\0');
	if (i < 0)
		value_choice_fault(r, s->choices, word, what.p);
	return i < 0 ? 0 : (unsigned)i;
}

static void scanner_fail_read(struct reader *r, const struct setting *s, const struct token *word)
{
	bool closed = choice_of(r, s, word) == 1;

	if (last_scanner(r) != NULL)
		last_scanner(r)->closed = closed;
}

static void scanner_mail_read(struct reader *r, const struct setting *s, const struct token *word)
{
	static const unsigned bits[] = {SCANNER_IN, SCANNER_OUT, SCANNER_IN | SCANNER_OUT};
	unsigned mail = bits[choice_of(r, s, word)];

	if (last_scanner(r) != NULL)
		last_scanner(r)->mail = mail;
}

static void scanner_timeout_read(struct reader *r, const struct setting *s, const struct token *word)
{
	uint64_t v = 0;

	if (!value_time.scan(word->text, &v) || v < s->min || v > s->max)
		reader_fault(r, word, "\"" STR_FMT "\" is not %s, from 1s to 5m", WORD(word), value_time.example);
	else if (last_scanner(r) != NULL)
		last_scanner(r)->timeout = (nsec)v;
}

static void scanners_print(struct buf *out, const struct setting *s, const struct config *c)
{
	for (size_t i = 0; i < c->scanners_n; i++) {
		const struct config_scanner *scanner = &c->scanners[i];

		buf_printf(out, "%s %s ", s->name, scanner_names[scanner->kind]);
		lexer_print_word(out, scanner->text);
		buf_printf(out, " fail %s timeout ", scanner_fail_names[scanner->closed]);
		value_time.format(out, (uint64_t)scanner->timeout);
		buf_printf(out, " mail %s\n", scanner_mail_names[scanner->mail - 1]);
	}
}

const struct value_type value_scanner = {.more = "Ar ADDRESS", .read = scanner_read, .print = scanners_print};
const struct value_type value_scanner_fail = {.read = scanner_fail_read};
const struct value_type value_scanner_timeout = {.grammar = "TIME", .read = scanner_timeout_read};
const struct value_type value_scanner_mail = {.read = scanner_mail_read};
