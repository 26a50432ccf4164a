/* SPDX-License-Identifier: ISC */
#include "role/trust_files.h"

#include "base/log.h"
#include "role/path.h"

/* All of them travel in one frame. */
#define AUTHORITIES_MAX    ((size_t)640 << 10)
#define ANCHOR_MAX         ((size_t)64 << 10)
#define PASSWORD_MAX       ((size_t)1024)
#define MEMORY_MAX         ((size_t)900 << 10)
#define SYSTEM_AUTHORITIES STR("/etc/ssl/certs/ca-certificates.crt")

static str authorities_path(const struct config *config)
{
	return config->authorities.n > 0 ? config->authorities : SYSTEM_AUTHORITIES;
}

static const struct named_file *find(const struct trust_files *t, str name)
{
	for (size_t i = 0; i < t->n; i++)
		if (str_equal(t->items[i].name, name))
			return &t->items[i];
	return NULL;
}

static err add(struct trust_files *t, str name, str text)
{
	t->items[t->n++] = (struct named_file){arena_str(&t->memory, name), arena_str(&t->memory, text)};
	return t->memory.full ? err_note(E_LIMIT, "authorities and passwords are too large") : OK;
}

/* E_NOT_FOUND: neither it nor what it was before. */
static err load(struct trust_files *t, const struct trust_files *old, str name, str path, size_t max)
{
	BUF(text, max);
	const struct named_file *before = find(old, name);
	err e = path_read(path, &text);

	if (e == OK)
		e = add(t, name, buf_str(&text));
	else
		LOG(ERROR, "trust.unreadable", LOG_Z("error", err_info()->text));
	path_wipe(&text);
	if (e == OK || t->memory.full)
		return e;
	return before == NULL ? E_NOT_FOUND : add(t, name, before->text);
}

/* One file may serve several routes. */
static err load_password(struct trust_files *t, const struct trust_files *old, str name, str path)
{
	struct stat st;

	if (path.n == 0 || find(t, name) != NULL)
		return OK;
	if (path_stat(path, &st) && (st.st_mode & S_IROTH) != 0)
		LOG(WARN, "trust.exposed", LOG_STR("file", path), LOG_Z("do", "chmod o-r"));
	err e = load(t, old, name, path, PASSWORD_MAX);
	return e == E_NOT_FOUND ? OK : e; /* its route cannot be used, all others can */
}

/* On a bare system there are none: then nobody is believed by a certificate. */
static err load_authorities(const struct config *config, const struct trust_files *old, struct trust_files *t)
{
	struct stat st;

	if (config->authorities.n == 0 && !path_stat(SYSTEM_AUTHORITIES, &st)) {
		LOG(WARN, "trust.no-authorities", LOG_STR("file", SYSTEM_AUTHORITIES),
		    LOG_Z("do", "install ca-certificates, or name a file: authorities FILE"));
		return OK;
	}
	err e = load(t, old, TRUST_AUTHORITIES, authorities_path(config), AUTHORITIES_MAX);
	return e == E_NOT_FOUND ? OK : e;
}

static err load_all(const struct config *config, const struct trust_files *old, struct trust_files *t)
{
	err e = OK;

	if (config->trust_anchor.n > 0)
		e = load(t, old, TRUST_ANCHOR, config->trust_anchor, ANCHOR_MAX);
	if (e == E_NOT_FOUND)
		return err_note(e, "trust-anchor " STR_FMT " cannot be read", STR_ARG(config->trust_anchor));
	if (e == OK)
		e = load_authorities(config, old, t);
	for (size_t i = 0; i < config->routes_n && e == OK; i++)
		e = load_password(t, old, config->routes[i].password_file, config->routes[i].password_file);
	if (e == OK)
		e = load_password(t, old, TRUST_CLIENT_SECRET, config->oauth.secret_file);
	return e;
}

err trust_files_load(const struct config *config, const struct trust_files *old, struct trust_files *out)
{
	*out = (struct trust_files){.memory = ARENA_INIT(MEMORY_MAX)};
	out->items = arena_array(&out->memory, config->routes_n + 3, sizeof(*out->items));
	err e = out->items == NULL ? err_note(E_LIMIT, "too many routes") : load_all(config, old, out);

	if (e != OK)
		trust_files_free(out);
	return e;
}

void trust_files_free(struct trust_files *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->items[i].text.n > 0)
			explicit_bzero((char *)(uintptr_t)t->items[i].text.p, t->items[i].text.n);
	arena_free(&t->memory);
	*t = (struct trust_files){0};
}

uint64_t trust_files_stamp(const struct config *config)
{
	uint64_t stamp = path_stamp(FNV_START, authorities_path(config));

	stamp = path_stamp(stamp, config->trust_anchor);
	for (size_t i = 0; i < config->routes_n; i++)
		stamp = path_stamp(stamp, config->routes[i].password_file);
	return path_stamp(stamp, config->oauth.secret_file);
}
