/* SPDX-License-Identifier: ISC */
#include "cli/check_tls.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/date.h"
#include "cli/output.h"
#include "rt/certificate.h"
#include "rt/file.h"
#include "rt/private_key.h"
#include "rt/rt.h"

#define FILE_OCTETS_MAX ((size_t)128 << 10)
#define SOON            (14 * 86400 * USEC_PER_SEC)

struct check {
	const struct invocation *inv;
	const struct config *config;
	str path; /* that is looked at */
	bool faulty;
	size_t read, named; /* certificates: that were read, that are for the hostname */
};

static void say(struct check *k, bool fault, const char *text)
{
	const char *kind = fault ? "fault" : "warning";

	k->faulty = k->faulty || fault;
	if (k->inv->json) {
		struct output out = {.file = stdout, .json = true};
		struct cell cells[] = {{.name = STR("file"), .text = k->path},
		                       {.name = str_from(kind), .text = str_from(text)}};

		output_rows(&out, &(struct row){cells, ARRAY_LEN(cells)}, 1);
	} else {
		fprintf(stderr, STR_FMT ": %s%s\n", STR_ARG(k->path), fault ? "" : "warning: ", text);
	}
}

/* Who runs the check may see less than who starts the server. */
static bool read_file(struct check *k, str path, struct buf *out)
{
	ARENA(a, 8192);
	const char *name = arena_z(&a, path);

	k->path = path;
	if (name == NULL)
		say(k, true, "the name is too long");
	else if (access(name, R_OK) != 0)
		say(k, errno != EACCES, strerror(errno));
	else if (file_read_whole(name, out) != OK)
		say(k, true, err_info()->text);
	else
		return true;
	return false;
}

static void check_dates(struct check *k, const struct certificate_facts *f)
{
	BUF(text, 100);

	if (f->begins > rt_wall())
		buf_puts(&text, "the certificate begins ");
	else if (f->ends < rt_wall() + SOON)
		buf_printf(&text, "the certificate %s ", f->ends < rt_wall() ? "has ended" : "ends");
	else
		return;
	date_rfc3339(&text, f->begins > rt_wall() ? f->begins : f->ends);
	buf_putc(&text, '\0');
	say(k, false, text.p);
}

static bool check_chain(struct check *k, str path, struct buf *chain)
{
	struct certificate_facts facts;

	if (!read_file(k, path, chain))
		return false;
	if (certificate_look(buf_str(chain), k->config->hostname, &facts) != OK) {
		say(k, true, err_info()->text);
		return false;
	}
	k->read++;
	k->named += facts.names;
	check_dates(k, &facts);
	return true;
}

static void check_pair(struct check *k, const struct config_certificate *c)
{
	BUF(chain, FILE_OCTETS_MAX);
	BUF(secret, FILE_OCTETS_MAX);
	struct private_key *key = NULL;

	if (check_chain(k, c->certificate, &chain) && read_file(k, c->key, &secret) &&
	    private_key_read(buf_str(&secret), buf_str(&chain), &key) != OK)
		say(k, true, err_info()->text);
	private_key_free(key);
	if (secret.p != NULL)
		explicit_bzero(secret.p, secret.size);
}

/* Without it the server starts, and what it is for does not work. */
static void check_secret(struct check *k, str path)
{
	ARENA(a, 8192);
	const char *name = path.n == 0 ? NULL : arena_z(&a, path);

	k->path = path;
	if (name != NULL && access(name, R_OK) != 0)
		say(k, false, strerror(errno));
}

int check_tls(const struct invocation *inv, const struct config *config)
{
	struct check k = {.inv = inv, .config = config};
	BUF(text, 400);

	for (size_t i = 0; i < config->certificates_n; i++)
		check_pair(&k, &config->certificates[i]);
	for (size_t i = 0; i < config->routes_n; i++)
		check_secret(&k, config->routes[i].password_file);
	check_secret(&k, config->oauth.secret_file);
	if (k.read > 0 && k.named == 0) {
		k.path = str_from(inv->config_path);
		buf_printf(&text, "no certificate is for " STR_FMT ", which clients are told is our name%c",
		           STR_ARG(config->hostname), '\0');
		say(&k, false, text.p);
	}
	return k.faulty ? EX_CONFIG : EX_OK;
}
