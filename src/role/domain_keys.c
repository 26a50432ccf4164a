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

#define MEMORY_MAX ((size_t)512 << 20)
#define DOMAINKEY  STR("._domainkey.")

/* Ten thousand domains with two keys, and all that is kept of those from before. */
enum { PEM_MAX = 16 << 10, PUBLIC_MAX = 4 << 10, KEYS_MAX = 100000, KEPT = 3, DATE_DIGITS = 8, NAME_SIZE = 512 };

static const struct {
	unsigned bit;
	bool ed25519;
	char letter; /* in selectors that we choose: 20261122r */
	const char *name;
} algorithms[] = {{DKIM_RSA, false, 'r', "rsa"}, {DKIM_ED25519, true, 'e', "ed25519"}};

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

static int compare(const struct domain_key *a, str domain, str algorithm)
{
	int d = str_compare(a->domain, domain);

	return d != 0 ? d : str_compare(a->algorithm, algorithm);
}

static int in_order(const void *x, const void *y)
{
	const struct domain_key *a = x, *b = y;
	int d = compare(a, b->domain, b->algorithm);

	return d != 0 ? d : a->created == b->created ? 0 : a->created > b->created ? -1 : 1;
}

static err grow(struct domain_keys *k)
{
	size_t cap = k->cap == 0 ? 64 : 2 * k->cap;

	if (k->n == KEYS_MAX || k->memory.full)
		return err_note(E_LIMIT, "there are too many keys of domains");
	if (k->n < k->cap)
		return OK;
	struct domain_key *items = reallocarray(k->items, cap, sizeof(*items));
	if (items == NULL)
		return err_note(E_MEMORY, "no memory for the keys of domains");
	k->items = items;
	k->cap = cap;
	return OK;
}

/* At the end: out of order. */
static err append(struct domain_keys *all, str name, str pem, const struct stat *st)
{
	struct domain_key k = {0};
	BUF(public, PUBLIC_MAX);
	bool ed25519 = false;

	if (!name_split(name, &k.selector, &k.domain))
		return err_note(E_SYNTAX, "its name is not SELECTOR._domainkey.DOMAIN");
	err e = signature_key_public(pem, &ed25519, &public);
	if (e == OK)
		e = grow(all);
	if (e != OK)
		return e;
	k.selector = arena_str(&all->memory, k.selector);
	k.domain = arena_str(&all->memory, k.domain);
	k.algorithm = str_from(algorithms[ed25519].name);
	k.key = fnv_octets(FNV_START, name); /* the same in every process and after each restart */
	k.created = (uint64_t)created_of(k.selector, st);
	k.record = record_of(&all->memory, ed25519, buf_str(&public));
	k.secret = arena_str(&all->memory, pem);
	if (all->memory.full)
		return err_note(E_LIMIT, "the keys of domains are too large");
	all->items[all->n++] = k;
	return OK;
}

/* What cannot be used concerns nobody but its domain. */
static err load_file(struct domain_keys *all, int folder, const char *name)
{
	BUF(pem, PEM_MAX);
	struct stat st;
	err e = keys_folder_read(folder, name, &pem, &st);

	if (e == OK)
		e = append(all, str_from(name), buf_str(&pem), &st);
	path_wipe(&pem);
	if (e != OK)
		LOG(WARN, "dkim.key-unusable", LOG_Z("file", name), LOG_Z("error", err_info()->text));
	return e;
}

/* --- all of them --- */

static bool is_wanted(str name, str only)
{
	str selector, domain;

	if (name.n == 0 || name.p[0] == '.')
		return false;
	return only.n == 0 || (name_split(name, &selector, &domain) && str_equal_nocase(domain, only));
}

static err load_all(struct domain_keys *all, int folder, str only)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (d == NULL) {
		if (fd >= 0)
			close(fd);
		return err_note(E_IO, "the folder of the keys of domains cannot be read");
	}
	for (struct dirent *f = readdir(d); f != NULL; f = readdir(d))
		if (is_wanted(str_from(f->d_name), only))
			(void)!load_file(all, folder, f->d_name);
	closedir(d);
	if (all->n > 0)
		qsort(all->items, all->n, sizeof(*all->items), in_order);
	return OK;
}

static err open_folder(const struct config *config, int *folder)
{
	int keys = -1;
	err e = keys_folder_open(config, &keys);

	if (e == OK)
		e = keys_folder_open_within(keys, "dkim", folder);
	if (keys >= 0)
		close(keys);
	return e;
}

static uint64_t stamp(const struct config *config)
{
	ARENA(a, NAME_SIZE + 4096);

	return path_stamp(FNV_START, arena_printf(&a, STR_FMT "/keys/dkim", STR_ARG(config->data)));
}

err domain_keys_load(const struct config *config, str only, struct domain_keys *out)
{
	int folder = -1;

	*out = (struct domain_keys){.memory = ARENA_INIT(MEMORY_MAX)};
	err e = open_folder(config, &folder);
	out->seen = stamp(config);
	if (e == OK)
		e = load_all(out, folder, only);
	if (folder >= 0)
		close(folder);
	if (e != OK)
		domain_keys_free(out);
	return e;
}

bool domain_keys_changed(const struct domain_keys *k, const struct config *config)
{
	return k->seen != stamp(config);
}

static void wipe(struct domain_key *k)
{
	explicit_bzero((char *)(uintptr_t)k->secret.p, k->secret.n);
}

void domain_keys_free(struct domain_keys *k)
{
	for (size_t i = 0; i < k->n; i++)
		wipe(&k->items[i]);
	free(k->items);
	arena_free(&k->memory);
	*k = (struct domain_keys){0};
}

/* --- what is to be made --- */

/* The newest of them, and how many there are. */
static struct domain_key *of_kind(const struct domain_keys *k, str domain, size_t algorithm, size_t *n)
{
	str name = str_from(algorithms[algorithm].name);
	size_t low = 0, high = k->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (compare(&k->items[middle], domain, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (*n = 0; low + *n < k->n && compare(&k->items[low + *n], domain, name) == 0;)
		++*n;
	return *n > 0 ? &k->items[low] : NULL;
}

static bool is_due(const struct config *config, const struct domain_key *newest, int64_t now)
{
	int64_t age = config->dkim_rotate / 1000; /* microseconds */

	return newest == NULL || (age > 0 && (int64_t)newest->created + age <= now);
}

bool domain_keys_due(const struct domain_keys *k, const struct config *config, int64_t now, size_t *at,
                     struct key_due *out)
{
	for (; *at < config->domains_n * ARRAY_LEN(algorithms); ++*at) {
		const struct config_domain *d = &config->domains[*at / ARRAY_LEN(algorithms)];
		size_t algorithm = *at % ARRAY_LEN(algorithms), n;

		if ((d->dkim & algorithms[algorithm].bit) == 0 ||
		    !is_due(config, of_kind(k, d->name, algorithm, &n), now))
			continue;
		*out = (struct key_due){.domain = d->name, .algorithm = algorithm};
		++*at;
		return true;
	}
	return false;
}

/* --- new ones --- */

static bool name_key(struct key_due *due, int64_t now)
{
	BUF(day, 40);

	date_rfc3339(&day, now);
	str d = buf_str(&day);
	int n = snprintf(due->file, sizeof(due->file), "%.4s%.2s%.2s%c" STR_FMT STR_FMT, d.p, str_drop(d, 5).p,
	                 str_drop(d, 8).p, algorithms[due->algorithm].letter, STR_ARG(DOMAINKEY), STR_ARG(due->domain));
	return n > 0 && (size_t)n < sizeof(due->file);
}

static bool is_key(int folder, const char *name)
{
	BUF(pem, PEM_MAX);
	BUF(public, PUBLIC_MAX);
	bool ed25519;
	bool good = keys_folder_read(folder, name, &pem, NULL) == OK &&
	            signature_key_public(buf_str(&pem), &ed25519, &public) == OK;

	path_wipe(&pem);
	return good;
}

static err write_key(int folder, const struct key_due *due, str pem)
{
	err e = keys_folder_add(folder, due->file, pem);

	if (e == E_EXISTS && is_key(folder, due->file))
		return OK; /* a command was faster: that one it is */
	if (e == E_EXISTS)
		e = keys_folder_write(folder, due->file, pem);
	if (e != OK)
		return e;
	LOG(WARN, "dkim.key-made", LOG_STR("domain", due->domain),
	    LOG_STR("selector", str_take(str_from(due->file), DATE_DIGITS + 1)),
	    LOG_Z("do", "publish its record: pombo dns"));
	return OK;
}

err domain_keys_make(const struct config *config, int64_t now, struct key_due *due)
{
	BUF(pem, PEM_MAX);
	int folder = -1;

	if (!name_key(due, now))
		return err_note(E_LIMIT, "the name of a key is too long");
	err e = open_folder(config, &folder);
	if (e == OK)
		e = signature_key_make(algorithms[due->algorithm].ed25519, &pem);
	due->seen_before = stamp(config);
	if (e == OK)
		e = write_key(folder, due, buf_str(&pem));
	due->seen = stamp(config);
	path_wipe(&pem);
	if (folder >= 0)
		close(folder);
	return e;
}

static void forget(struct domain_keys *k, struct domain_key *item)
{
	size_t at = (size_t)(item - k->items);

	wipe(item);
	memmove(item, item + 1, (k->n - at - 1) * sizeof(*item));
	k->n--;
}

/* Of each kind the newest stay, and the oldest: nobody knows here which record is in the DNS, and if new ones are not published it is the first. Where there are very many
 * keys, one stays beside the new one. */
static bool remove_old(struct domain_keys *k, int folder, const struct key_due *due)
{
	bool many = k->n > KEYS_MAX / 2, removed = false;
	size_t n, kept = many ? 2 : KEPT, oldest = many ? 0 : 1;
	char name[NAME_SIZE];

	for (;;) {
		struct domain_key *first = of_kind(k, due->domain, due->algorithm, &n);
		if (n <= kept + oldest)
			return removed;
		struct domain_key *old = &first[kept];
		snprintf(name, sizeof(name), STR_FMT STR_FMT STR_FMT, STR_ARG(old->selector), STR_ARG(DOMAINKEY),
		         STR_ARG(old->domain));
		if (unlinkat(folder, name, 0) == 0)
			LOG(INFO, "dkim.key-removed", LOG_STR("domain", old->domain),
			    LOG_STR("selector", old->selector));
		forget(k, old);
		removed = true;
	}
}

/* It may have been loaded since it was made. */
static void forget_file(struct domain_keys *k, const struct key_due *due)
{
	uint64_t key = fnv_octets(FNV_START, str_from(due->file));
	size_t n;
	struct domain_key *items = of_kind(k, due->domain, due->algorithm, &n);

	for (size_t i = 0; i < n; i++)
		if (items[i].key == key) {
			forget(k, &items[i]);
			return;
		}
}

/* The last one goes where it belongs. */
static void put_in_order(struct domain_keys *k)
{
	struct domain_key last = k->items[k->n - 1];
	size_t low = 0, high = k->n - 1;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (in_order(&k->items[middle], &last) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	memmove(&k->items[low + 1], &k->items[low], (k->n - 1 - low) * sizeof(last));
	k->items[low] = last;
}

err domain_keys_take(struct domain_keys *k, const struct config *config, struct key_due *due)
{
	int folder = -1;
	err e = open_folder(config, &folder);

	forget_file(k, due);
	if (e == OK)
		e = load_file(k, folder, due->file);
	if (e == OK) {
		due->key = k->items[k->n - 1].key;
		put_in_order(k);
		due->removed = remove_old(k, folder, due);
	}
	if (k->seen == due->seen_before) /* nobody else changed anything */
		k->seen = due->removed ? stamp(config) : due->seen;
	if (folder >= 0)
		close(folder);
	return e;
}

err domain_keys_make_first(struct domain_keys *k, const struct config *config, str only, int64_t now, size_t max)
{
	struct key_due due;
	size_t at = 0;
	err e = OK;

	while (max > 0 && e == OK && domain_keys_due(k, config, now, &at, &due)) {
		if (only.n > 0 && !str_equal_nocase(due.domain, only))
			continue;
		max--;
		e = domain_keys_make(config, now, &due);
		if (e == OK)
			e = domain_keys_take(k, config, &due);
	}
	return e;
}
