/* SPDX-License-Identifier: ISC */
#include "mailauth/dmarc_walk.h"

#include "mailauth/public_suffix.h"

enum { ANSWER_MEMORY = 512 << 10, LABELS_MAX = 7 };

bool dmarc_is_below(str name, str domain)
{
	str head = str_take(name, name.n - (domain.n < name.n ? domain.n : name.n));

	return domain.n > 0 && str_ends_nocase(name, domain) && (head.n == 0 || str_ends(head, STR(".")));
}

static str without_first_label(str name)
{
	str rest;

	(void)!str_cut(name, '.', &(str){0}, &rest);
	return rest;
}

static size_t count_labels(str name)
{
	size_t n = 0;

	for (; name.n > 0; name = without_first_label(name))
		n++;
	return n;
}

static bool is_record(str text)
{
	ARENA(a, ANSWER_MEMORY);
	struct dmarc_record record;

	return dmarc_record_parse(text, &a, &record) != E_NOT_FOUND;
}

/* Of several that there are none is one (RFC 9989 4.10). E_SYNTAX: one that nobody can go by, `out` is set. */
static err select_record(const str *texts, size_t n, struct arena *a, struct dmarc_record *out)
{
	size_t records = 0, last = 0;

	for (size_t i = 0; i < n; i++) {
		if (is_record(texts[i])) {
			records++;
			last = i;
		}
	}
	return records == 1 ? dmarc_record_parse(arena_line(a, texts[last], ' '), a, out) : E_NOT_FOUND;
}

static err ask(const struct resolver *r, str domain, nsec deadline, struct arena *a, struct dmarc_record *out)
{
	ARENA(scratch, ANSWER_MEMORY);
	struct dns_answer answer;
	str *texts;
	size_t n;
	str name = arena_printf(&scratch, "_dmarc." STR_FMT, STR_ARG(domain));

	if (name.n > DNS_NAME_MAX)
		return E_NOT_FOUND;
	err e = dns_txt(r, name, &scratch, deadline, &answer, &texts, &n);
	if (e == E_SYNTAX) /* nothing that could be a record */
		return E_NOT_FOUND;
	return e == OK ? select_record(texts, n, a, out) : e;
}

/* --- the walk --- */

/* One domain. False: the walk ends here. */
static bool visit(const struct resolver *r, str domain, nsec deadline, struct arena *a, struct dmarc_walk *w, err *e)
{
	struct dmarc_record *record = &w->records[w->n];

	*e = ask(r, domain, deadline, a, record);
	if (*e == E_TEMP || *e == E_DENIED) {
		w->broken = true;
		w->why = arena_str(a, str_from(err_info()->text));
	} else if (*e == OK || *e == E_SYNTAX) {
		record->domain = domain;
		w->faults[w->n] = *e == E_SYNTAX ? arena_str(a, str_from(err_info()->text)) : STR_NONE;
		w->n++;
		*e = OK;
		return record->psd == 'u';
	}
	if (*e == E_TEMP || *e == E_DENIED || *e == E_NOT_FOUND)
		*e = OK;
	return !w->broken && *e == OK;
}

static err climb(const struct resolver *r, str domain, nsec deadline, struct arena *a, struct dmarc_walk *w)
{
	err e;
	size_t labels = count_labels(domain);

	if (!visit(r, domain, deadline, a, w, &e))
		return e;
	domain = without_first_label(domain);
	for (; labels > LABELS_MAX + 1; labels--)
		domain = without_first_label(domain);
	while (domain.n > 0 && visit(r, domain, deadline, a, w, &e))
		domain = without_first_label(domain);
	return e;
}

/* The last labels of `domain`, one more than `top` has. */
static str one_below(str domain, str top)
{
	str rest;

	while ((rest = without_first_label(domain)).n > top.n)
		domain = rest;
	return domain;
}

/* RFC 9989 4.10.2 */
static str select_organization(const struct dmarc_walk *w, str domain, bool suffix_list)
{
	for (size_t i = 0; i < w->n; i++) {
		const struct dmarc_record *record = &w->records[i];

		if (record->psd == 'n')
			return record->domain;
		if (record->psd == 'y' && record->domain.n < domain.n)
			return one_below(domain, record->domain);
	}
	if (w->broken)
		return STR_NONE;
	if (w->n > 0)
		return w->records[w->n - 1].domain;
	str registered = suffix_list ? public_suffix_registered(domain) : STR_NONE;
	return registered.n > 0 ? registered : domain;
}

err dmarc_walk(const struct resolver *r, str domain, bool suffix_list, nsec deadline, struct arena *a,
               struct dmarc_walk *out)
{
	*out = (struct dmarc_walk){.records = arena_array(a, DMARC_QUERIES_MAX, sizeof(*out->records)),
	                           .faults = arena_array(a, DMARC_QUERIES_MAX, sizeof(*out->faults))};
	domain = arena_lower(a, domain);
	if (a->full)
		return err_note(E_LIMIT, "no memory for records of DMARC");
	err e = climb(r, domain, deadline, a, out);
	out->organization = select_organization(out, domain, suffix_list);
	return e == OK && a->full ? err_note(E_LIMIT, "no memory for records of DMARC") : e;
}
