/* SPDX-License-Identifier: ISC */
#include "sasl/plain.h"

/* RFC 4616 2: message = [authzid] NUL authcid NUL passwd, in UTF-8 */
err plain_parse(str message, struct plain *out)
{
	str rest;

	if (!str_is_utf8(message) || !str_cut(message, '\0', &out->authorization, &rest) ||
	    !str_cut(rest, '\0', &out->user, &out->password))
		return err_note(E_SYNTAX, "PLAIN: not three parts of UTF-8");
	if (out->user.n == 0 || out->password.n == 0 || str_find(out->password, '\0') < out->password.n)
		return err_note(E_SYNTAX, "PLAIN: a part is empty, or there are more than three");
	return OK;
}

err plain_compose(str user, str password, struct buf *out)
{
	buf_reset(out);
	if (str_find(user, '\0') < user.n || str_find(password, '\0') < password.n)
		return err_note(E_SYNTAX, "PLAIN: a part holds a NUL");
	buf_putc(out, '\0');
	buf_put(out, user);
	buf_putc(out, '\0');
	buf_put(out, password);
	return out->full ? err_note(E_LIMIT, "PLAIN: too long") : OK;
}
