/* SPDX-License-Identifier: ISC */
#include "cli/unix_user.h"

#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

#include "rt/file.h"

str unix_mail_name(struct arena *a)
{
	char host[256] = "";
	BUF(text, 4096);
	str line = STR_NONE, rest;

	if (file_read_whole("/etc/mailname", &text) == OK)
		str_cut(buf_str(&text), '\n', &line, &rest);
	line = str_trim(line);
	if (line.n > 0 && !str_has_control(line))
		return arena_str(a, line);
	(void)!gethostname(host, sizeof(host) - 1);
	return arena_str(a, host[0] == '\0' ? STR("localhost") : str_from(host));
}

/* passwd(5): the name is what stands before the first comma; & is the login's name, with a capital. */
static str full_name(const struct passwd *user, struct arena *a)
{
	BUF(name, 200);
	str gecos, rest;

	str_cut(str_from(user->pw_gecos), ',', &gecos, &rest);
	for (size_t i = 0; i < gecos.n; i++) {
		size_t at = name.n;

		if (gecos.p[i] != '&') {
			buf_putc(&name, gecos.p[i]);
			continue;
		}
		buf_puts(&name, user->pw_name);
		if (!name.full && name.p[at] >= 'a' && name.p[at] <= 'z')
			name.p[at] = (char)(name.p[at] - 'a' + 'A');
	}
	return name.full || str_has_control(buf_str(&name)) ? STR_NONE : arena_str(a, buf_str(&name));
}

struct compose_person unix_user(struct arena *a)
{
	const struct passwd *user = getpwuid(getuid());
	str domain = unix_mail_name(a);

	if (user == NULL)
		return (struct compose_person){.address = arena_printf(a, "uid-%u@" STR_FMT, getuid(), STR_ARG(domain))};
	return (struct compose_person){full_name(user, a),
	                               arena_printf(a, "%s@" STR_FMT, user->pw_name, STR_ARG(domain))};
}
