/* SPDX-License-Identifier: ISC */
#include "role/domain_keys.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/date.h"
#include "base/encode.h"
#include "base/fnv.h"
#include "base/log.h"
#include "role/keys_folder.h"
#include "role/path.h"
#include "rt/signature_key.h"

#define MEMORY_MAX ((size_t)16 << 20)
#define DOMAINKEY  STR("._domainkey.")

enum { PEM_MAX = 16 << 10, PUBLIC_MAX = 4 << 10, KEYS_MAX = 4096, KEPT = 3, DATE_DIGITS = 8, NAME_SIZE = 512 };

static const struct {
	unsigned bit;
	bool ed25519;
	char letter; /* in selectors that we choose: 20261122r */
	const char *name;
} algorithms[] = {{DKIM_RSA, false, 'r', "rsa"}, {DKIM_ED25519, true, 'e', "ed25519"}};

struct loading {
	const struct config *config;
	int64_t now;
	int folder;
	struct domain_keys *keys;
};

/* --- one file --- */

/* A selector of ours begins with the day on which it was made; of others the file's time counts. */
static int64_t created_of(str selector, const struct stat *st)
{
	char text[] = "0000-00-00";
	int64_t at = 0;

	if (selector.n < DATE_DIGITS)
		return (int64_t)st->st_mtime * USEC_PER_SEC;
	snprintf(text, sizeof(text), "%.4s-%.2s-%.2s", selector.p, str_drop(selector, 4).p, str_drop(selector, 6).p);
	return date_parse_rfc3339(str_from(text), &at) ? at : (int64_t)st->st_mtime * USEC_PER_SEC;
}

static bool name_split(str name, str *selector, str *domain)
{
	for (size_t at = 1; at < name.n; at++) {
		if (!str_starts(str_drop(name, at), DOMAINKEY))
			continue;
		*selector = str_take(name, at);
		*domain = str_drop(name, at + DOMAINKEY.n);
		return domain->n > 0;
	}
	return false;
}

/* RFC 6376 3.6.1, RFC 8463 4.2. */
static str record_of(struct arena *a, bool ed25519, str public)
{
	BUF(p, 2 * PUBLIC_MAX);

	base64_encode(&p, public);
	return arena_printf(a, "v=DKIM1; k=%s; p=" STR_FMT, ed25519 ? "ed25519" : "rsa", STR_ARG(buf_str(&p)));
}

static err add(struct loading *l, str name, str pem, const struct stat *st)
{
	struct domain_keys *all = l->keys;
	struct domain_key k = {0};
	BUF(public, PUBLIC_MAX);
	bool ed25519 = false;

	if (!name_split(name, &k.selector, &k.domain))
		return err_note(E_SYNTAX, "its name is not SELECTOR._domainkey.DOMAIN");
	err e = signature_key_public(pem, &ed25519, &public);
	if (e != OK)
		return e;
	k.selector = arena_str(&all->memory, k.selector);
	k.domain = arena_str(&all->memory, k.domain);
	k.algorithm = str_from(algorithms[ed25519].name);
	k.key = fnv_octets(FNV_START, name); /* the same in every process and after each restart */
	k.created = (uint64_t)created_of(k.selector, st);
	k.record = record_of(&all->memory, ed25519, buf_str(&public));
	k.secret = arena_str(&all->memory, pem);
	if (all->memory.full || all->n == KEYS_MAX)
		return err_note(E_LIMIT, "too many keys of domains");
	all->items[all->n++] = k;
	return OK;
}

static err load_file(struct loading *l, const char *name)
{
	BUF(pem, PEM_MAX);
	struct stat st;
	err e = keys_folder_read(l->folder, name, &pem, &st);

	if (e == OK)
		e = add(l, str_from(name), buf_str(&pem), &st);
	path_wipe(&pem);
	if (e != OK && e != E_LIMIT)
		LOG(WARN, "dkim.key-unusable", LOG_Z("file", name), LOG_Z("error", err_info()->text));
	return e == E_LIMIT ? e : OK;
}

/* --- all of them --- */

static int newest_first(const void *x, const void *y)
{
	const struct domain_key *a = x, *b = y;

	return a->created == b->created ? 0 : a->created > b->created ? -1 : 1;
}

static err load_all(struct loading *l)
{
	int fd = openat(l->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	err e = OK;

	if (d == NULL) {
		if (fd >= 0)
			close(fd);
		return err_note(E_IO, "the folder of the keys of domains cannot be read");
	}
	for (struct dirent *f = readdir(d); f != NULL && e == OK; f = readdir(d))
		if (f->d_name[0] != '.')
			e = load_file(l, f->d_name);
	closedir(d);
	qsort(l->keys->items, l->keys->n, sizeof(*l->keys->items), newest_first);
	return e;
}

static const struct domain_key *nth(const struct domain_keys *k, str domain, const char *algorithm, size_t nth)
{
	for (size_t i = 0; i < k->n; i++)
		if (str_equal(k->items[i].domain, domain) && str_equal(k->items[i].algorithm, str_from(algorithm)) &&
		    nth-- == 0)
			return &k->items[i];
	return NULL;
}

static bool is_due(const struct config *config, const struct domain_key *newest, int64_t now)
{
	int64_t age = config->dkim_rotate / 1000; /* microseconds */

	return newest == NULL || (age > 0 && (int64_t)newest->created + age <= now);
}

/* --- new ones --- */

/* Of each kind the newest stay, and the oldest: nobody knows here which record is in the DNS, and if new ones are not published it is the first. Where there are very many
 * keys, one stays. */
static void remove_old(const struct loading *l, str domain, const char *algorithm)
{
	bool many = l->keys->n > KEYS_MAX / 2;
	size_t oldest = many ? 0 : 1;
	const struct domain_key *k;

	for (size_t i = many ? 1 : KEPT - 1; nth(l->keys, domain, algorithm, i + oldest) != NULL; i++) {
		k = nth(l->keys, domain, algorithm, i);
		ARENA(a, NAME_SIZE);
		const char *name = arena_z(&a, arena_printf(&a, STR_FMT STR_FMT STR_FMT, STR_ARG(k->selector),
		                                            STR_ARG(DOMAINKEY), STR_ARG(k->domain)));
		if (name != NULL && unlinkat(l->folder, name, 0) == 0)
			LOG(INFO, "dkim.key-removed", LOG_STR("domain", k->domain), LOG_STR("selector", k->selector));
	}
}

static err make(const struct loading *l, str domain, size_t algorithm)
{
	BUF(pem, PEM_MAX);
	BUF(day, 40);
	ARENA(a, NAME_SIZE);

	date_rfc3339(&day, l->now);
	str d = buf_str(&day);
	str selector = arena_printf(&a, "%.4s%.2s%.2s%c", d.p, str_drop(d, 5).p, str_drop(d, 8).p,
	                            algorithms[algorithm].letter);
	const char *name = arena_z(
		&a, arena_printf(&a, STR_FMT STR_FMT STR_FMT, STR_ARG(selector), STR_ARG(DOMAINKEY), STR_ARG(domain)));
	if (name == NULL)
		return err_note(E_LIMIT, "the name of a key is too long");
	err e = signature_key_make(algorithms[algorithm].ed25519, &pem);
	if (e == OK)
		e = keys_folder_write(l->folder, name, buf_str(&pem));
	path_wipe(&pem);
	if (e == OK)
		LOG(WARN, "dkim.key-made", LOG_STR("domain", domain), LOG_STR("selector", selector),
		    LOG_Z("do", "publish its record: pombo dns"));
	return e;
}

static err make_due(struct loading *l, bool *made)
{
	err e = OK;

	for (size_t i = 0; i < l->config->domains_n && e == OK; i++)
		for (size_t j = 0; j < ARRAY_LEN(algorithms) && e == OK; j++) {
			const struct config_domain *d = &l->config->domains[i];
			const char *algorithm = algorithms[j].name;

			if ((d->dkim & algorithms[j].bit) == 0 ||
			    !is_due(l->config, nth(l->keys, d->name, algorithm, 0), l->now))
				continue;
			remove_old(l, d->name, algorithm);
			e = make(l, d->name, j);
			*made = true;
		}
	return e;
}

static err begin(struct domain_keys *k)
{
	*k = (struct domain_keys){.memory = ARENA_INIT(MEMORY_MAX)};
	k->items = arena_array(&k->memory, KEYS_MAX, sizeof(*k->items));
	return k->items == NULL ? err_note(E_MEMORY, "no memory for the keys of domains") : OK;
}

static err load_and_make(struct loading *l)
{
	bool made = false;
	err e = load_all(l);

	if (e == OK)
		e = make_due(l, &made);
	if (e != OK || !made)
		return e;
	domain_keys_free(l->keys);
	e = begin(l->keys);
	return e == OK ? load_all(l) : e;
}

static uint64_t stamp(const struct config *config)
{
	ARENA(a, NAME_SIZE + 4096);

	return path_stamp(FNV_START, arena_printf(&a, STR_FMT "/keys/dkim", STR_ARG(config->data)));
}

err domain_keys_load(const struct config *config, int64_t now, struct domain_keys *out)
{
	struct loading l = {.config = config, .now = now, .folder = -1, .keys = out};
	int keys = -1;
	err e = begin(out);

	if (e == OK)
		e = keys_folder_open(config, &keys);
	if (e == OK)
		e = keys_folder_open_within(keys, "dkim", &l.folder);
	if (e == OK)
		e = load_and_make(&l);
	if (l.folder >= 0)
		close(l.folder);
	if (keys >= 0)
		close(keys);
	if (e != OK)
		domain_keys_free(out);
	else
		out->seen = stamp(config);
	return e;
}

bool domain_keys_changed(const struct domain_keys *k, const struct config *config, int64_t now)
{
	for (size_t i = 0; i < config->domains_n; i++)
		for (size_t j = 0; j < ARRAY_LEN(algorithms); j++)
			if ((config->domains[i].dkim & algorithms[j].bit) != 0 &&
			    is_due(config, nth(k, config->domains[i].name, algorithms[j].name, 0), now))
				return true;
	return k->seen != stamp(config);
}

void domain_keys_free(struct domain_keys *k)
{
	for (size_t i = 0; i < k->n; i++)
		explicit_bzero((char *)(uintptr_t)k->items[i].secret.p, k->items[i].secret.n);
	arena_free(&k->memory);
	*k = (struct domain_keys){0};
}
