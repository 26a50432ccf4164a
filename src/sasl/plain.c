/* SPDX-License-Identifier: ISC */
#include "sasl/plain.h"

#include "base/encode.h"

/* RFC 4616 2: message = [authzid] NUL authcid NUL passwd, in UTF-8 */
static err parse(str message, struct plain *out)
{
	str rest;

	if (!str_is_utf8(message) || !str_cut(message, '\0', &out->authorization, &rest) ||
	    !str_cut(rest, '\0', &out->user, &out->password))
		return err_note(E_SYNTAX, "PLAIN: not three parts of UTF-8");
	if (out->user.n == 0 || out->password.n == 0 || str_find(out->password, '\0') < out->password.n)
		return err_note(E_SYNTAX, "PLAIN: a part is empty, or there are more than three");
	return OK;
}

err plain_decode(str base64, struct buf *message, struct plain *out)
{
	buf_reset(message);
	err e = base64_decode(message, base64);

	return e == OK ? parse(buf_str(message), out) : err_note(E_SYNTAX, "PLAIN: %s", err_info()->text);
}
