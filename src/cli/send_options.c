/* SPDX-License-Identifier: ISC */
#include "cli/send_options.h"

#include <getopt.h>
#include <stdio.h>

#include "conf/value.h"

const char send_options_help[] =
	"  -s, --subject TEXT         the subject\n"
	"  -f, --from ADDRESS         who writes: alice@example.org, or \"Alice <alice@example.org>\"\n"
	"      --cc ADDRESS           one more reader; may be repeated, like --bcc and --attach\n"
	"      --bcc ADDRESS          one more, whom the others do not see\n"
	"  -a, --attach FILE          send this file with it\n"
	"      --body FILE            the text is in this file, instead of standard input\n"
	"      --header \"NAME: VALUE\" one more header field\n"
	"  -m, --message              what is read is a whole message with its header\n"
	"  -w, --wait[=TIME]          wait (10m) until every recipient's fate is known, and tell it\n"
	"      --notify WHEN          reports by mail: never, or some of success,failure,delay\n"
	"      --hold TIME            keep it back for so long\n"
	"      --by TIME[,return]     tell me, or give up, when it takes longer\n"
	"      --priority N           -9 to 9\n"
	"      --require-tls          only over encrypted and verified connections, all the way\n"
	"      --server HOST[:PORT]   or unix:/path; without it: the one on this machine, or the domain's\n"
	"      --tls HOW              implicit, starttls or none; without it: as the port asks\n"
	"  -u, --user NAME            log in as\n"
	"      --password-command CMD its first line is the password; without it: asked on the terminal\n"
	"      --authorities FILE     certificates that are trusted, in PEM, instead of the system's\n"
	"      --resolver ADDRESS:PORT\n"
	"      --defaults FILE        instead of ~/.config/pombo/send\n"
	"      --json                 one JSON object a recipient\n"
	"  -q, --quiet                say nothing unless it fails\n";

#define WAIT_DEFAULT (600 * NSEC_PER_SEC)

enum long_only { CC = 256, BCC, BODY, HEADER, NOTIFY, HOLD, BY, PRIORITY, REQUIRE_TLS, SERVER, TLS, PASSWORD_COMMAND,
	         AUTHORITIES, RESOLVER, DEFAULTS, JSON };

static const struct option longs[] = {
	{"subject", required_argument, NULL, 's'},
	{"from", required_argument, NULL, 'f'},
	{"cc", required_argument, NULL, CC},
	{"bcc", required_argument, NULL, BCC},
	{"attach", required_argument, NULL, 'a'},
	{"body", required_argument, NULL, BODY},
	{"header", required_argument, NULL, HEADER},
	{"message", no_argument, NULL, 'm'},
	{"wait", optional_argument, NULL, 'w'},
	{"notify", required_argument, NULL, NOTIFY},
	{"hold", required_argument, NULL, HOLD},
	{"by", required_argument, NULL, BY},
	{"priority", required_argument, NULL, PRIORITY},
	{"require-tls", no_argument, NULL, REQUIRE_TLS},
	{"server", required_argument, NULL, SERVER},
	{"tls", required_argument, NULL, TLS},
	{"user", required_argument, NULL, 'u'},
	{"password-command", required_argument, NULL, PASSWORD_COMMAND},
	{"authorities", required_argument, NULL, AUTHORITIES},
	{"resolver", required_argument, NULL, RESOLVER},
	{"defaults", required_argument, NULL, DEFAULTS},
	{"json", no_argument, NULL, JSON},
	{"quiet", no_argument, NULL, 'q'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

/* --- values --- */

static bool list_add(struct send_list *l, const char *item)
{
	if (l->n == SEND_LIST_MAX)
		return false;
	l->items[l->n++] = item;
	return true;
}

static bool read_time(const char *text, uint64_t *nanoseconds)
{
	return value_time.scan(str_from(text), nanoseconds);
}

static bool read_seconds(const char *text, uint64_t *seconds)
{
	uint64_t t;

	if (!read_time(text, &t))
		return false;
	*seconds = t / (uint64_t)NSEC_PER_SEC;
	return *seconds > 0;
}

static bool read_wait(const char *text, struct send_options *o)
{
	uint64_t t = (uint64_t)WAIT_DEFAULT;

	if (text != NULL && !read_time(text, &t))
		return false;
	o->wait = true;
	o->wait_time = (nsec)t;
	return true;
}

static bool read_by(str text, struct send_options *o)
{
	char number[32];
	str mode;
	bool with_mode = str_cut(text, ',', &text, &mode);

	if (with_mode && !str_equal(mode, STR("return")) && !str_equal(mode, STR("notify")))
		return false;
	o->by_mode = with_mode && str_equal(mode, STR("return")) ? BY_RETURN : BY_NOTIFY;
	(void)snprintf(number, sizeof(number), STR_FMT, STR_ARG(text));
	return read_seconds(number, &o->by_seconds);
}

static bool read_priority(str text, struct send_options *o)
{
	uint64_t n;
	bool minus = str_starts(text, STR("-"));

	if (!str_to_u64(minus ? str_drop(text, 1) : text, 9, &n))
		return false;
	o->priority = minus ? 10 - n : 10 + n;
	return true;
}

static bool read_notify(str text, struct send_options *o)
{
	static const struct {
		str name;
		uint64_t bit;
	} names[] = {{STR("never"), DSN_NEVER}, {STR("success"), DSN_SUCCESS}, {STR("failure"), DSN_FAILURE}, {STR("delay"), DSN_DELAY}};
	str word;
	bool more = true;

	while (more) {
		size_t i = 0;

		more = str_cut(text, ',', &word, &text);
		while (i < ARRAY_LEN(names) && !str_equal_nocase(word, names[i].name))
			i++;
		if (i == ARRAY_LEN(names))
			return false;
		o->notify |= names[i].bit;
	}
	return (o->notify & DSN_NEVER) == 0 || o->notify == DSN_NEVER;
}

static bool read_tls(str text, struct send_options *o)
{
	static const char *const names[] = {
		[SUBMIT_TLS_IMPLICIT] = "implicit", [SUBMIT_TLS_STARTTLS] = "starttls", [SUBMIT_TLS_NONE] = "none"};

	for (enum submit_tls i = SUBMIT_TLS_IMPLICIT; i <= SUBMIT_TLS_NONE; i++)
		if (str_equal(text, str_from(names[i]))) {
			o->server.tls = i;
			return true;
		}
	return false;
}

/* --- options --- */

static bool set_flag(struct send_options *o, int option)
{
	switch (option) {
	case 'm':
		return o->message = true;
	case REQUIRE_TLS:
		return o->require_tls = true;
	case JSON:
		return o->json = true;
	case 'q':
		return o->quiet = true;
	default:
		return o->help = true;
	}
}

static const char **text_of(struct send_options *o, int option)
{
	switch (option) {
	case 's':
		return &o->subject;
	case 'f':
		return &o->from;
	case BODY:
		return &o->body;
	case SERVER:
		return &o->server.server;
	case 'u':
		return &o->server.user;
	case PASSWORD_COMMAND:
		return &o->server.password_command;
	case AUTHORITIES:
		return &o->server.authorities;
	case RESOLVER:
		return &o->server.resolver;
	case DEFAULTS:
		return &o->defaults;
	default:
		return NULL;
	}
}

static struct send_list *list_of(struct send_options *o, int option)
{
	switch (option) {
	case CC:
		return &o->cc;
	case BCC:
		return &o->bcc;
	case 'a':
		return &o->attachments;
	case HEADER:
		return &o->fields;
	default:
		return NULL;
	}
}

static bool set_value(struct send_options *o, int option, const char *value)
{
	switch (option) {
	case 'w':
		return read_wait(value, o);
	case NOTIFY:
		return read_notify(str_from(value), o);
	case HOLD:
		return read_seconds(value, &o->hold_seconds);
	case BY:
		return read_by(str_from(value), o);
	case PRIORITY:
		return read_priority(str_from(value), o);
	case TLS:
		return read_tls(str_from(value), o);
	default:
		return set_flag(o, option);
	}
}

static bool set_option(struct send_options *o, int option, const char *value)
{
	const char **text = text_of(o, option);
	struct send_list *list = list_of(o, option);

	if (list != NULL)
		return list_add(list, value);
	if (text == NULL)
		return set_value(o, option, value);
	*text = value;
	return true;
}

bool send_options_parse(const struct invocation *inv, struct send_options *o, struct arena *a)
{
	int argc = (int)inv->words_n + 1, option;
	char **argv = arena_array(a, inv->words_n + 2, sizeof(*argv));

	if (argv == NULL)
		return command_fail(inv, EX_OSERR, "out of memory"), false;
	argv[0] = (char[]){"pombo send"};
	for (size_t i = 0; i < inv->words_n; i++)
		argv[i + 1] = inv->words[i];
	optind = 0;
	while ((option = getopt_long(argc, argv, "s:f:a:mw::u:qh", longs, NULL)) != -1) {
		if (option == '?')
			return fprintf(stderr, "pombo send -h shows what there is\n"), false;
		if (!set_option(o, option, optarg))
			return command_fail(inv, EX_USAGE, "\"%s\" is not what that option takes; pombo send -h", optarg), false;
	}
	for (int i = optind; i < argc; i++)
		if (!list_add(&o->to, argv[i]))
			return command_fail(inv, EX_USAGE, "too many recipients"), false;
	return true;
}
