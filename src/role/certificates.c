/* SPDX-License-Identifier: ISC */
#include "role/certificates.h"

#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "role/keys_folder.h"
#include "role/path.h"
#include "rt/private_key.h"

#define FILE_OCTETS_MAX   ((size_t)128 << 10)
#define MEMORY_MAX        ((size_t)16 << 20)
#define CERTIFICATE_BEGIN STR("-----BEGIN CERTIFICATE-----")
#define CERTIFICATE_END   STR("-----END CERTIFICATE-----")

/* --- one certificate --- */

static size_t find(str text, str part)
{
	size_t at = 0;

	while (at < text.n && !str_starts(str_drop(text, at), part))
		at++;
	return at;
}

/* The certificates alone: some keep the private key in the same file, and that is not for every process. */
static str certificates_of(struct arena *a, str pem)
{
	BUF(out, FILE_OCTETS_MAX);

	while (pem.n > 0) {
		pem = str_drop(pem, find(pem, CERTIFICATE_BEGIN));
		size_t n = find(pem, CERTIFICATE_END);
		if (n == pem.n)
			break;
		buf_put(&out, str_take(pem, n));
		buf_put(&out, CERTIFICATE_END);
		buf_putc(&out, '\n');
		pem = str_drop(pem, n);
	}
	return arena_str(a, buf_str(&out));
}

static err add(struct certificates *c, str chain, str key, str ocsp)
{
	struct certificate *item = &c->items[c->n++];

	*item = (struct certificate){.chain = certificates_of(&c->memory, chain),
	                             .secret = arena_str(&c->memory, key),
	                             .ocsp = arena_str(&c->memory, ocsp)};
	if (c->memory.full)
		return err_note(E_LIMIT, "certificates and keys are too large");
	return private_key_number(item->chain, &item->key);
}

/* --- files of the configuration --- */

static err read_file(str path, struct buf *out)
{
	err e = path_read(path, out);

	if (e == OK)
		return OK;
	struct err_info why = *err_info();
	return err_note(e, "tls: %s", why.text);
}

static err load_configured(const struct config_certificate *files, struct certificates *c)
{
	BUF(chain, FILE_OCTETS_MAX);
	BUF(key, FILE_OCTETS_MAX);
	BUF(ocsp, FILE_OCTETS_MAX);
	BUF(ocsp_name, 8192);

	buf_put(&ocsp_name, files->certificate);
	buf_puts(&ocsp_name, ".ocsp");
	err e = read_file(files->certificate, &chain);
	if (e == OK)
		e = read_file(files->key, &key);
	if (e == OK && read_file(buf_str(&ocsp_name), &ocsp) != OK)
		buf_reset(&ocsp); /* it need not be there */
	if (e == OK)
		e = add(c, buf_str(&chain), buf_str(&key), buf_str(&ocsp));
	path_wipe(&key);
	path_wipe(&chain);
	return e;
}

/* --- one of our own --- */

struct own_names {
	char key[300], certificate[300];
};

/* The certificate last: what a crash leaves without one is made again. */
static err own_make(const struct config *config, int folder, const struct own_names *names, struct buf *key,
                    struct buf *chain)
{
	buf_reset(key);
	buf_reset(chain);
	err e = private_key_make(config->hostname, key, chain);
	if (e == OK)
		e = keys_folder_write(folder, names->key, buf_str(key));
	if (e == OK)
		e = keys_folder_write(folder, names->certificate, buf_str(chain));
	if (e == OK)
		LOG(WARN, "tls.self-signed", LOG_STR("hostname", config->hostname),
		    LOG_Z("do", "get a certificate and name it: tls certificate FILE key FILE"));
	return e;
}

static err load_own(const struct config *config, struct certificates *c)
{
	BUF(key, FILE_OCTETS_MAX);
	BUF(chain, FILE_OCTETS_MAX);
	struct own_names names;
	int folder = -1;
	err e = keys_folder_open(config, &folder);

	if (e != OK)
		return e;
	snprintf(names.key, sizeof(names.key), STR_FMT ".key", STR_ARG(config->hostname));
	snprintf(names.certificate, sizeof(names.certificate), STR_FMT ".pem", STR_ARG(config->hostname));
	e = keys_folder_read(folder, names.certificate, &chain, NULL);
	if (e == OK)
		e = keys_folder_read(folder, names.key, &key, NULL);
	if (e == E_NOT_FOUND)
		e = own_make(config, folder, &names, &key, &chain);
	close(folder);
	if (e == OK)
		e = add(c, buf_str(&chain), buf_str(&key), STR_NONE);
	path_wipe(&key);
	return e;
}

/* --- all of them --- */

err certificates_load(const struct config *config, struct certificates *out)
{
	err e = OK;

	*out = (struct certificates){.memory = ARENA_INIT(MEMORY_MAX)};
	out->items = arena_array(&out->memory, config->certificates_n + 1, sizeof(*out->items));
	if (out->items == NULL)
		return err_note(E_MEMORY, "no memory for certificates");
	for (size_t i = 0; i < config->certificates_n && e == OK; i++)
		e = load_configured(&config->certificates[i], out);
	if (e == OK && config->certificates_n == 0)
		e = load_own(config, out);
	if (e != OK)
		certificates_free(out);
	return e;
}

void certificates_free(struct certificates *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->items[i].secret.n > 0)
			explicit_bzero((char *)(uintptr_t)c->items[i].secret.p, c->items[i].secret.n);
	arena_free(&c->memory);
	*c = (struct certificates){0};
}

uint64_t certificates_stamp(const struct config *config)
{
	uint64_t stamp = FNV_START;

	for (size_t i = 0; i < config->certificates_n; i++) {
		ARENA(a, 16384);
		const struct config_certificate *c = &config->certificates[i];

		stamp = path_stamp(stamp, c->certificate);
		stamp = path_stamp(stamp, c->key);
		stamp = path_stamp(stamp, arena_printf(&a, STR_FMT ".ocsp", STR_ARG(c->certificate)));
	}
	return stamp;
}
