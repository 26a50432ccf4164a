/* SPDX-License-Identifier: ISC */
#include "conf/value.h"

#include <stdio.h>
#include <sys/un.h>

#include "conf/domain_name.h"
#include "conf/reader.h"
#include "conf/suggest.h"

_Static_assert(sizeof(enum log_level) == sizeof(unsigned) && sizeof(enum bare_newlines) == sizeof(unsigned),
               "choices are stored as unsigned");

void *value_field(struct config *c, const struct setting *s)
{
	return (char *)c + s->at;
}

const void *value_field_of(const struct config *c, const struct setting *s)
{
	return (const char *)c + s->at;
}

bool value_is_none(const struct setting *s, str word)
{
	return s->none != NULL && str_equal(word, str_from(s->none));
}

/* --- numbers --- */

static bool count_scan(str word, uint64_t *v)
{
	return str_to_u64(word, UINT64_MAX, v);
}

static void count_format(struct buf *out, uint64_t v)
{
	buf_u64(out, v);
}

struct unit {
	char letter;
	uint64_t value;
};

/* Largest first; both end with the value 0. */
static const struct unit size_units[] = {
	{'T', UINT64_C(1) << 40}, {'G', UINT64_C(1) << 30}, {'M', UINT64_C(1) << 20}, {'K', UINT64_C(1) << 10}, {0, 0}};
static const struct unit time_units[] = {{'d', 86400 * (uint64_t)NSEC_PER_SEC},
                                         {'h', 3600 * (uint64_t)NSEC_PER_SEC},
                                         {'m', 60 * (uint64_t)NSEC_PER_SEC},
                                         {'s', (uint64_t)NSEC_PER_SEC},
                                         {0, 0}};

static const struct unit *unit_find(const struct unit *units, char letter)
{
	for (; units->value != 0; units++)
		if (units->letter == letter)
			return units;
	return NULL;
}

static bool scan_with_unit(const struct unit *units, str word, uint64_t *v)
{
	const struct unit *u = word.n == 0 ? NULL : unit_find(units, word.p[word.n - 1]);
	uint64_t n;

	if (u == NULL || !str_to_u64(str_take(word, word.n - 1), INT64_MAX / u->value, &n))
		return false;
	*v = n * u->value;
	return true;
}

static void format_with_unit(const struct unit *units, struct buf *out, uint64_t v)
{
	while (units->value != 0 && (v == 0 || v % units->value != 0))
		units++;
	buf_u64(out, units->value == 0 ? v : v / units->value);
	if (units->value != 0)
		buf_putc(out, units->letter);
}

static bool size_scan(str word, uint64_t *v)
{
	return scan_with_unit(size_units, word, v) || str_to_u64(word, INT64_MAX, v);
}

static void size_format(struct buf *out, uint64_t v)
{
	format_with_unit(size_units, out, v);
}

static bool time_scan(str word, uint64_t *v)
{
	return scan_with_unit(time_units, word, v);
}

static void time_format(struct buf *out, uint64_t v)
{
	format_with_unit(time_units, out, v);
}

static bool number_in_bounds(struct reader *r, const struct setting *s, const struct token *word, uint64_t v)
{
	BUF(bound, 64);
	bool small = v < s->min;

	if (!small && v <= s->max)
		return true;
	s->type->format(&bound, small ? s->min : s->max);
	reader_fault(r, word, "\"" STR_FMT "\" is too %s for %s, %s is " STR_FMT, WORD(word), small ? "small" : "large",
	             s->option != NULL ? s->option : s->name, small ? "the least" : "the most",
	             STR_ARG(buf_str(&bound)));
	return false;
}

static void number_read(struct reader *r, const struct setting *s, const struct token *word)
{
	uint64_t v = 0;

	if (value_is_none(s, word->text))
		*(uint64_t *)value_field(r->config, s) = 0;
	else if (!s->type->scan(word->text, &v))
		reader_fault(r, word, "\"" STR_FMT "\" is not %s%s%s", WORD(word), s->type->example,
		             s->none != NULL ? ", nor " : "", s->none != NULL ? s->none : "");
	else if (number_in_bounds(r, s, word, v))
		*(uint64_t *)value_field(r->config, s) = v;
}

static void number_print(struct buf *out, const struct setting *s, const struct config *c)
{
	uint64_t v = *(const uint64_t *)value_field_of(c, s);

	if (v == 0 && s->none != NULL)
		buf_puts(out, s->none);
	else
		s->type->format(out, v);
}

const struct value_type value_count = {"N", NULL, number_read, number_print, count_scan, count_format, "a number"};
const struct value_type value_size = {
	"SIZE", NULL, number_read, number_print, size_scan, size_format, "a size such as 64K, 50M or 2G"};
const struct value_type value_time = {
	"TIME", NULL, number_read, number_print, time_scan, time_format, "a time such as 30s, 5m, 2h or 1d"};

static void version_read(struct reader *r, const struct setting *s, const struct token *word)
{
	(void)s;
	if (!str_equal(word->text, STR("1")))
		reader_fault(r, word, "version " STR_FMT " of the configuration's format is not known, only version 1",
		             WORD(word));
}

static void version_print(struct buf *out, const struct setting *s, const struct config *c)
{
	(void)s;
	(void)c;
	buf_putc(out, '1');
}

const struct value_type value_version = {.grammar = "1", .read = version_read, .print = version_print};

/* --- choices --- */

int value_choice_index(const char *const *choices, str word)
{
	for (int i = 0; choices[i] != NULL; i++)
		if (str_equal(word, str_from(choices[i])))
			return i;
	return -1;
}

void value_choice_fault(struct reader *r, const char *const *choices, const struct token *word, const char *what)
{
	struct suggestion s = suggest_begin(word->text);

	for (; *choices != NULL; choices++)
		suggest_offer(&s, *choices);
	reader_fault_word(r, word, what, s.best);
}

static void choice_read(struct reader *r, const struct setting *s, const struct token *word)
{
	int i = value_choice_index(s->choices, word->text);
	char what[64];

	if (i >= 0) {
		*(unsigned *)value_field(r->config, s) = (unsigned)i;
		return;
	}
	snprintf(what, sizeof(what), "%s cannot be", s->name);
	value_choice_fault(r, s->choices, word, what);
}

static void choice_print(struct buf *out, const struct setting *s, const struct config *c)
{
	buf_puts(out, s->choices[*(const unsigned *)value_field_of(c, s)]);
}

static void flag_read(struct reader *r, const struct setting *s, const struct token *word)
{
	(void)word;
	*(bool *)value_field(r->config, s) = true;
}

static void flag_print(struct buf *out, const struct setting *s, const struct config *c)
{
	if (*(const bool *)value_field_of(c, s))
		buf_puts(out, s->option);
}

const struct value_type value_choice = {.read = choice_read, .print = choice_print};
const struct value_type value_flag = {.read = flag_read, .print = flag_print};

/* --- text --- */

static void text_set(struct reader *r, const struct setting *s, str text)
{
	*(str *)value_field(r->config, s) = arena_str(&r->config->arena, text);
}

static void text_print(struct buf *out, const struct setting *s, const struct config *c)
{
	lexer_print_word(out, *(const str *)value_field_of(c, s));
}

str value_domain_name(struct reader *r, const struct token *word, str name)
{
	str folded = name;

	if (domain_name_fold(name, &r->config->arena, &folded) != OK)
		reader_fault(r, word, "\"" STR_FMT "\" is not the name of a domain: %s", STR_ARG(str_take(name, 80)),
		             err_info()->text);
	return folded;
}

static void host_read(struct reader *r, const struct setting *s, const struct token *word)
{
	text_set(r, s, value_domain_name(r, word, word->text));
}

static void path_read(struct reader *r, const struct setting *s, const struct token *word)
{
	/* The control socket's name has to fit into a socket address. */
	size_t most = sizeof(((struct sockaddr_un *)0)->sun_path) - sizeof("/control.sock");

	if (!str_starts(word->text, STR("/")))
		reader_fault(r, word, "\"" STR_FMT "\" is not an absolute path", WORD(word));
	else if (word->text.n > most)
		reader_fault(r, word, "the path is too long, %zu octets are the most", most);
	text_set(r, s, word->text);
}

static void user_read(struct reader *r, const struct setting *s, const struct token *word)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	bool good = word->text.n > 0 && word->text.n <= 32 && word->text.p[0] != '-';

	for (size_t i = 0; i < word->text.n; i++)
		good = good && memchr(allowed, word->text.p[i], sizeof(allowed) - 1) != NULL;
	if (!good)
		reader_fault(r, word, "\"" STR_FMT "\" is not the name of a user", WORD(word));
	text_set(r, s, word->text);
}

static void plus_read(struct reader *r, const struct setting *s, const struct token *word)
{
	static const char allowed[] = "+-_=.";
	bool good = word->text.n > 0;

	for (size_t i = 0; i < word->text.n; i++)
		good = good && memchr(allowed, word->text.p[i], sizeof(allowed) - 1) != NULL;
	if (!good && !value_is_none(s, word->text))
		reader_fault(r, word, "\"" STR_FMT "\" is not one or more of %s, nor none", WORD(word), allowed);
	text_set(r, s, good ? word->text : STR_NONE);
}

static void plus_print(struct buf *out, const struct setting *s, const struct config *c)
{
	lexer_print_word(out, c->plus.n == 0 ? str_from(s->none) : c->plus);
}

const struct value_type value_host = {.grammar = "NAME", .read = host_read, .print = text_print};
const struct value_type value_path = {.grammar = "FOLDER", .read = path_read, .print = text_print};
const struct value_type value_user = {.grammar = "NAME", .read = user_read, .print = text_print};
const struct value_type value_plus = {.grammar = "CHARACTERS", .read = plus_read, .print = plus_print};

/* --- listen --- */

static void service_fault(struct reader *r, const struct token *word)
{
	if (value_choice_index(service_names_later, word->text) >= 0)
		reader_fault(r, word, "this version of Pombo does not have the service " STR_FMT " yet", WORD(word));
	else
		value_choice_fault(r, service_names, word, "unknown service");
}

static void service_read(struct reader *r, const struct setting *s, const struct token *word)
{
	r->service = value_choice_index(s->choices, word->text);
	if (r->service < 0)
		service_fault(r, word);
}

static void socket_add(struct reader *r, str text, const struct net_address *address)
{
	struct config *c = r->config;
	struct config_listen *l = reader_append(r, (void **)&c->listens, &c->listens_n, sizeof(*l));

	if (l != NULL && r->service >= 0)
		*l = (struct config_listen){(enum service)r->service, arena_str(&c->arena, text), *address};
}

static void socket_read(struct reader *r, const struct setting *s, const struct token *word)
{
	struct net_address address;
	BUF(key, 512);

	(void)s;
	if (net_address_parse(word->text, &address) != OK) {
		reader_fault(r, word,
		             "\"" STR_FMT
		             "\" is not an address such as 192.0.2.1:25, [2001:db8::1]:25 or unix:/run/pombo/lmtp.sock",
		             WORD(word));
		return;
	}
	if (r->service == SERVICE_LOCAL && address.sa.ss_family != AF_UNIX) {
		reader_fault(r, word, "local is served on Unix sockets only, such as unix:/run/pombo/submit");
		return;
	}
	buf_puts(&key, "listen ");
	net_address_print(&key, &address); /* so that [::0]:25 is [::]:25 */
	if (reader_once(r, word, buf_str(&key)))
		socket_add(r, word->text, &address);
}

static void service_print(struct buf *out, const struct setting *s, const struct config *c)
{
	for (size_t i = 0; i < c->listens_n; i++) {
		buf_printf(out, "%s %s ", s->name, service_name(c->listens[i].service));
		lexer_print_word(out, c->listens[i].text);
		buf_putc(out, '\n');
	}
}

const struct value_type value_service = {.grammar = "SERVICE", .read = service_read, .print = service_print};
const struct value_type value_socket = {.grammar = "ADDRESS", .read = socket_read};

/* --- include --- */

static void include_read(struct reader *r, const struct setting *s, const struct token *word)
{
	(void)s;
	if (!r->may_include)
		reader_fault(r, word, "include is not possible here");
	else if (word->text.n == 0 || str_find(word->text, '\0') < word->text.n)
		reader_fault(r, word, "include needs the name of a file");
	else
		reader_include(r, word);
}

const struct value_type value_include = {.grammar = "FILE", .read = include_read};
