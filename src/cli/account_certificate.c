/* SPDX-License-Identifier: ISC */
#include "cli/account_certificate.h"

#include <stdio.h>
#include <string.h>

#include "base/date.h"
#include "cli/admin.h"
#include "conf/value.h"
#include "rt/certificate.h"
#include "rt/file.h"
#include "rt/rt.h"

#define FILE_OCTETS_MAX ((size_t)128 << 10)

struct shown {
	char fingerprint[CERTIFICATE_FINGERPRINT + 1];
	uint64_t seconds; /* for which it is good; 0: nobody knows */
	bool ended;
};

static err read_certificate(const char *path, struct shown *out)
{
	BUF(pem, FILE_OCTETS_MAX);
	struct certificate_facts facts;
	err e = file_read_whole(path, &pem);

	if (e == OK)
		e = certificate_look(buf_str(&pem), STR(""), &facts);
	if (e != OK)
		return e;
	memcpy(out->fingerprint, facts.fingerprint, sizeof(out->fingerprint));
	out->ended = facts.ends <= rt_wall();
	out->seconds = out->ended ? 0 : (uint64_t)((facts.ends - rt_wall()) / USEC_PER_SEC) + 1;
	return OK;
}

/* A fingerprint, or the file of a certificate. */
static err identify(const char *word, struct shown *out)
{
	*out = (struct shown){0};
	return certificate_fingerprint_parse(str_from(word), out->fingerprint) ? OK : read_certificate(word, out);
}

static int add(const struct invocation *inv, struct shown *c)
{
	struct invocation asked = *inv;
	char seconds[24];
	uint64_t t = 0;

	if (inv->expires != NULL && !value_time.scan(str_from(inv->expires), &t))
		return command_usage(inv, "\"%s\" is not %s", inv->expires, value_time.example);
	if (inv->expires == NULL && c->ended)
		return command_fail(inv, EX_DATAERR, "%s has ended", inv->words[3]);
	if (inv->expires != NULL)
		c->seconds = t / NSEC_PER_SEC;
	snprintf(seconds, sizeof(seconds), "%llu", (unsigned long long)c->seconds);
	asked.words = (char *[]){inv->words[0], inv->words[1], inv->words[2], c->fingerprint, seconds};
	asked.words_n = c->seconds > 0 || inv->expires != NULL ? 5 : 4;
	return admin_command(&asked);
}

static int drop(const struct invocation *inv, struct shown *c)
{
	struct invocation asked = *inv;

	asked.words = (char *[]){inv->words[0], inv->words[1], inv->words[2], c->fingerprint};
	return admin_command(&asked);
}

int command_account_certificate(const struct invocation *inv)
{
	const char *verb = inv->words[1];
	bool adds = strcmp(verb, "add") == 0, lists = strcmp(verb, "list") == 0;
	struct shown c;

	if (!adds && !lists && strcmp(verb, "remove") != 0)
		return command_usage(inv, "there is no \"certificate %s\"", verb);
	if (inv->words_n != (lists ? 3 : 4))
		return command_usage(inv, "too %s words for certificate %s", inv->words_n < 4 ? "few" : "many", verb);
	if (inv->expires != NULL && !adds)
		return command_usage(inv, "--expires is for add");
	if (lists)
		return admin_command(inv);
	err e = identify(inv->words[3], &c);
	if (e == E_NOT_FOUND)
		return command_fail(inv, EX_NOINPUT, "%s", err_info()->text);
	if (e != OK)
		return command_fail_err(inv, e);
	return adds ? add(inv, &c) : drop(inv, &c);
}
