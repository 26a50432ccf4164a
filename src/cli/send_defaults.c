/* SPDX-License-Identifier: ISC */
/* The user's file of defaults for `pombo send`. */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/send_options.h"
#include "rt/file.h"

enum { FILE_OCTETS_MAX = 64 << 10 };

static err set_tls(str value, struct send_options *o)
{
	if (o->server.tls != SUBMIT_TLS_AUTO)
		return OK;
	if (str_equal(value, STR("implicit")))
		o->server.tls = SUBMIT_TLS_IMPLICIT;
	else if (str_equal(value, STR("starttls")))
		o->server.tls = SUBMIT_TLS_STARTTLS;
	else if (str_equal(value, STR("none")))
		o->server.tls = SUBMIT_TLS_NONE;
	else
		return err_note(E_SYNTAX, "tls is implicit, starttls or none");
	return OK;
}

static err set_default(str name, str value, struct send_options *o, struct arena *a)
{
	struct {
		str name;
		const char **at;
	} texts[] = {
		{STR("from"), &o->from},
		{STR("server"), &o->server.server},
		{STR("user"), &o->server.user},
		{STR("password-command"), &o->server.password_command},
		{STR("authorities"), &o->server.authorities},
	};

	if (value.n == 0)
		return err_note(E_SYNTAX, STR_FMT " says nothing", STR_ARG(name));
	if (str_equal(name, STR("tls")))
		return set_tls(value, o);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		if (!str_equal(name, texts[i].name))
			continue;
		if (*texts[i].at == NULL)
			*texts[i].at = arena_z(a, value);
		return *texts[i].at == NULL ? err_note(E_SYNTAX, "a NUL, or no memory") : OK;
	}
	return err_note(E_SYNTAX, "there is no default \"" STR_FMT "\"", STR_ARG(name));
}

err send_defaults_parse(str text, struct send_options *o, struct arena *a)
{
	err e = OK;
	str line;

	for (size_t number = 1; text.n > 0 && e == OK; number++) {
		str_cut(text, '\n', &line, &text);
		line = str_trim(line);
		if (line.n == 0 || line.p[0] == '#')
			continue;
		str name = str_word(&line);
		e = set_default(name, str_trim(line), o, a);
		if (e != OK) {
			struct err_info why = *err_info();
			e = err_note(E_SYNTAX, "line %zu: %s", number, why.text);
		}
	}
	return e;
}

static const char *default_path(char *path, size_t n)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	const struct passwd *user = home == NULL ? getpwuid(getuid()) : NULL;

	if (home == NULL && user != NULL)
		home = user->pw_dir;
	if (config != NULL && config[0] == '/')
		(void)snprintf(path, n, "%s/pombo/send", config);
	else
		(void)snprintf(path, n, "%s/.config/pombo/send", home == NULL ? "" : home);
	return path;
}

err send_defaults_read(struct send_options *o, struct arena *a)
{
	char path[4096];
	const char *file = o->defaults != NULL ? o->defaults : default_path(path, sizeof(path));
	BUF(text, FILE_OCTETS_MAX);
	err e = file_read_whole(file, &text);

	if (e == E_NOT_FOUND && o->defaults == NULL)
		return OK;
	if (e == OK)
		e = send_defaults_parse(buf_str(&text), o, a);
	if (e == OK)
		return OK;
	struct err_info why = *err_info();
	return err_note(e, "%s: %s", file, why.text);
}
