/* SPDX-License-Identifier: ISC */
#include "rt/json.h"

/* --- before it is parsed --- */

struct shape {
	size_t depth, deepest, values;
	bool quoted, escaped;
};

static void see_outside(struct shape *s, char c)
{
	switch (c) {
	case '"':
		s->quoted = true;
		break;
	case '[':
	case '{':
		s->values++;
		if (++s->depth > s->deepest)
			s->deepest = s->depth;
		break;
	case ']':
	case '}':
		s->depth -= s->depth > 0;
		break;
	case ',':
	case ':':
		s->values++;
		break;
	default:
		break;
	}
}

static void see_inside(struct shape *s, char c)
{
	if (s->escaped)
		s->escaped = false;
	else if (c == '\\')
		s->escaped = true;
	else if (c == '"')
		s->quoted = false;
}

static bool is_within(str json, const struct json_limits *limits)
{
	struct shape s = {0};

	for (size_t i = 0; i < json.n && json.n <= limits->octets; i++)
		(s.quoted ? see_inside : see_outside)(&s, json.p[i]);
	return json.n <= limits->octets && s.deepest <= limits->depth && s.values <= limits->values;
}

err json_read(str text, const struct json_limits *limits, const char *what, json_t **out)
{
	json_error_t why;

	*out = NULL;
	if (!is_within(text, limits))
		return err_note(E_LIMIT, "%s is too large, or its values are nested too deep", what);
	*out = json_loadb(text.n == 0 ? "" : text.p, text.n, 0, &why);
	return *out != NULL ? OK : err_note(E_SYNTAX, "%s is no JSON: %s", what, why.text);
}

/* --- values --- */

str json_clean(const json_t *string, size_t max, struct arena *a)
{
	str text = str_take(str_make(json_string_value(string), json_string_length(string)), max);

	return str_trim(arena_line(a, text, ' '));
}

str json_text(const json_t *object, const char *key, size_t max, struct arena *a)
{
	const json_t *v = json_object_get(object, key);

	return json_is_string(v) ? json_clean(v, max, a) : STR_NONE;
}

uint64_t json_count(const json_t *object, const char *key)
{
	const json_t *v = json_object_get(object, key);
	double real = json_number_value(v);
	uint64_t n = 0;

	if (json_is_integer(v))
		return json_integer_value(v) > 0 ? (uint64_t)json_integer_value(v) : 0;
	if (json_is_real(v))
		return real > 0 && real < 1e15 ? (uint64_t)real : 0;
	if (json_is_string(v) && str_to_u64(str_from(json_string_value(v)), INT64_MAX, &n))
		return n;
	return 0;
}
