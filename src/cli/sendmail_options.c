/* SPDX-License-Identifier: ISC */
#include "cli/sendmail.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

/* As sendmail(1) of Postfix has them; those that are only taken and ignored: A B e G h L m n p U X x J E. */
static const char letters[] = "A:B:b:C:Ee:F:f:GIiJ:h:L:mN:nO:o:p:q::R:r:StUV:vX:x:";

static bool set_mode(struct sendmail_options *o, const char *letter)
{
	static const struct {
		char letter;
		enum sendmail_mode mode;
	} modes[] = {
		{'m', SENDMAIL_DELIVER}, {'s', SENDMAIL_SMTP},   {'p', SENDMAIL_QUEUE_LIST}, {'i', SENDMAIL_ALIASES},
		{'v', SENDMAIL_VERIFY},  {'d', SENDMAIL_DAEMON}, {'D', SENDMAIL_DAEMON},     {'l', SENDMAIL_DAEMON},
	};

	for (size_t i = 0; i < ARRAY_LEN(modes); i++)
		if (letter[0] == modes[i].letter) {
			o->mode = modes[i].mode;
			return true;
		}
	return false;
}

static bool set_notify(struct sendmail_options *o, str text)
{
	str word;
	bool more = true;

	while (more) {
		more = str_cut(text, ',', &word, &text);
		if (str_equal_nocase(word, STR("never")))
			o->notify |= DSN_NEVER;
		else if (str_equal_nocase(word, STR("success")))
			o->notify |= DSN_SUCCESS;
		else if (str_equal_nocase(word, STR("failure")))
			o->notify |= DSN_FAILURE;
		else if (str_equal_nocase(word, STR("delay")))
			o->notify |= DSN_DELAY;
		else
			return false;
	}
	return (o->notify & DSN_NEVER) == 0 || o->notify == DSN_NEVER;
}

static bool set_ret(struct sendmail_options *o, str text)
{
	o->ret = str_equal_nocase(text, STR("full")) ? DSN_RET_FULL : DSN_RET_HDRS;
	return o->ret == DSN_RET_FULL || str_equal_nocase(text, STR("hdrs"));
}

/* -q, -qIid, -qRsite; -q10m is for daemons. */
static bool set_queue(struct sendmail_options *o, const char *value)
{
	if (value != NULL && value[0] >= '0' && value[0] <= '9')
		return true;
	o->mode = SENDMAIL_QUEUE_RUN;
	if (value != NULL && value[0] == 'I')
		o->queue_id = &value[1];
	else if (value != NULL && value[0] == 'R')
		o->queue_site = &value[1];
	return value == NULL || ((value[0] == 'I' || value[0] == 'R') && value[1] != '\0');
}

static bool set_long(struct sendmail_options *o, str text)
{
	if (str_equal_nocase(text, STR("smtputf8=yes")))
		o->utf8 = true;
	else if (str_equal_nocase(text, STR("requiretls=yes")))
		o->require_tls = true;
	return true;
}

static void set_old(struct sendmail_options *o, const char *value)
{
	if (value[0] == 'i' && value[1] == '\0')
		o->dots = true;
}

static bool set_text(struct sendmail_options *o, int letter, const char *value)
{
	switch (letter) {
	case 'f':
	case 'r':
		o->sender = strcmp(value, "<>") == 0 ? "" : value;
		return true;
	case 'F':
		o->name = value;
		return true;
	case 'C':
		o->config = value;
		return true;
	case 'V':
		if (!str_starts(str_from(value), STR("XV")) && value[0] != 'X')
			o->envid = value;
		return true;
	default:
		return true; /* one of those that are ignored */
	}
}

static bool set_option(struct sendmail_options *o, int letter, const char *value)
{
	switch (letter) {
	case 'b':
		return set_mode(o, value);
	case 'N':
		return set_notify(o, str_from(value));
	case 'R':
		return set_ret(o, str_from(value));
	case 'q':
		return set_queue(o, value);
	case 'O':
		return set_long(o, str_from(value));
	case 'o':
		set_old(o, value);
		return true;
	case 't':
		return o->of_header = true;
	case 'i':
		return o->dots = true;
	case 'v':
		return o->report = true;
	case 'I':
		o->mode = SENDMAIL_ALIASES;
		return true;
	default:
		return set_text(o, letter, value);
	}
}

bool sendmail_options_parse(int argc, char **argv, struct sendmail_options *o)
{
	int letter;

	*o = (struct sendmail_options){.name = getenv("NAME")};
	optind = 0;
	while ((letter = getopt(argc, argv, letters)) != -1) {
		if (letter == '?')
			return false;
		if (!set_option(o, letter, optarg)) {
			fprintf(stderr, "sendmail: -%c does not take \"%s\"\n", letter, optarg);
			return false;
		}
	}
	if (o->report && o->notify == 0)
		o->notify = DSN_SUCCESS | DSN_FAILURE | DSN_DELAY;
	o->recipients = &argv[optind];
	o->recipients_n = (size_t)(argc - optind);
	return true;
}
