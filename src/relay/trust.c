/* SPDX-License-Identifier: ISC */
#include "relay/trust.h"

#include <stdlib.h>

enum { TRUST_MEMORY = 8 << 20 };

static void trust_free(struct trust *t)
{
	for (size_t i = 0; i < t->passwords_n; i++)
		explicit_bzero((char *)(uintptr_t)t->passwords[i].text.p, t->passwords[i].text.n);
	tls_client_free(t->tls);
	arena_free(&t->memory);
	free(t);
}

static err trust_fill(struct trust *t, const struct certify_request *q)
{
	t->passwords = arena_array(&t->memory, q->files_n, sizeof(*t->passwords));
	for (size_t i = 0; i < q->files_n && t->passwords != NULL; i++) {
		str name = arena_str(&t->memory, q->files[i].name), text = arena_str(&t->memory, q->files[i].text);

		if (str_equal(name, STR("authorities")))
			t->authorities = text;
		else if (!t->memory.full)
			t->passwords[t->passwords_n++] = (struct named_file){name, text};
	}
	return t->memory.full ? err_note(E_LIMIT, "authorities and passwords are too large")
	                      : tls_client_new(t->authorities, &t->tls);
}

err trust_new(const struct certify_request *q, struct trust **out)
{
	struct trust *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return err_note(E_MEMORY, "no memory for certificates");
	t->references = 1;
	t->memory = ARENA_INIT(TRUST_MEMORY);
	err e = trust_fill(t, q);
	if (e == OK)
		*out = t;
	else
		trust_free(t);
	return e;
}

struct trust *trust_hold(struct trust *t)
{
	t->references++;
	return t;
}

void trust_release(struct trust *t)
{
	if (t != NULL && --t->references == 0)
		trust_free(t);
}

bool trust_password(const struct trust *t, str file, str *out)
{
	str rest;

	for (size_t i = 0; i < t->passwords_n; i++)
		if (str_equal(t->passwords[i].name, file)) {
			(void)str_cut(t->passwords[i].text, '\n', out, &rest);
			if (str_ends(*out, STR("\r")))
				*out = str_take(*out, out->n - 1);
			return true;
		}
	return false;
}
