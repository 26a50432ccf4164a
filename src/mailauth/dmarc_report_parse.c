/* SPDX-License-Identifier: ISC */
#include <expat.h>

#include "base/date.h"
#include "mailauth/dmarc_report.h"
#include "mailauth/gzip.h"
#include "mailauth/zip.h"

enum {
	DEPTH_MAX = 16,
	NAME_SIZE = 40,
	TEXT_MAX = 512,
	SIGNATURES_MAX = 20,
	FEED_MAX = 1 << 20,
	RECORDS_FIRST = 16,
	STRAYS_MAX = 1000,
	TAG_MAX = 1024
};

/* A record while it is read. */
struct open_record {
	struct dmarc_report_record record;
	struct dkim_result signatures[SIGNATURES_MAX];
	size_t signatures_n;
};

struct reading {
	struct dmarc_report *report;
	struct arena *arena;
	struct dmarc_report_record *records;
	size_t records_room;
	char names[DEPTH_MAX][NAME_SIZE]; /* elements that are open, without prefix */
	size_t depth;
	struct buf text; /* of the innermost one */
	struct open_record now;
	XML_Parser parser;
	err failed;
	bool is_report; /* it has a <feedback> */
};

static void fail(struct reading *r, err e)
{
	r->failed = e;
	(void)XML_StopParser(r->parser, XML_FALSE);
}

/* --- texts --- */

static str text_of(struct reading *r)
{
	return arena_line(r->arena, str_trim(buf_str(&r->text)), ' ');
}

static uint64_t number_of(struct reading *r)
{
	uint64_t n = 0;

	return str_to_u64(str_trim(buf_str(&r->text)), INT64_MAX / USEC_PER_SEC, &n) ? n : 0;
}

static str word_of(struct reading *r)
{
	return arena_lower(r->arena, text_of(r));
}

static enum auth_result result_of(str word)
{
	enum auth_result result;

	if (auth_result_find(word, &result))
		return result;
	return str_equal(word, STR("hardfail")) ? AUTH_FAIL : AUTH_NEUTRAL;
}

/* --- elements --- */

static bool is(const struct reading *r, size_t up, const char *name)
{
	return r->depth > up && strcmp(r->names[r->depth - 1 - up], name) == 0;
}

struct text_element {
	const char *parent, *name;
	size_t at; /* of a str in `struct dmarc_report`, or in `struct dmarc_row` */
	bool word;
};
#define REPORT(member) offsetof(struct dmarc_report, member)
#define ROW(member)    offsetof(struct dmarc_row, member)

static const struct text_element of_report[] = {
	{"report_metadata", "org_name", REPORT(organization), false},
	{"report_metadata", "email", REPORT(contact), false},
	{"report_metadata", "report_id", REPORT(id), false},
	{"policy_published", "domain", REPORT(domain), true},
	{"policy_published", "p", REPORT(p), true},
	{"policy_published", "sp", REPORT(sp), true},
	{"policy_published", "np", REPORT(np), true},
	{"policy_published", "adkim", REPORT(adkim), true},
	{"policy_published", "aspf", REPORT(aspf), true},
	{"policy_published", "fo", REPORT(fo), true},
};
static const struct text_element of_row[] = {
	{"row", "source_ip", ROW(source), true},
	{"policy_evaluated", "disposition", ROW(disposition), true},
	{"policy_evaluated", "dkim", ROW(dkim), true},
	{"policy_evaluated", "spf", ROW(spf), true},
	{"reason", "type", ROW(override), true},
	{"reason", "comment", ROW(override_comment), false},
	{"identifiers", "header_from", ROW(header_from), true},
	{"identifiers", "envelope_from", ROW(envelope_from), true},
	{"identifiers", "envelope_to", ROW(envelope_to), true},
	{"spf", "domain", ROW(spf_domain), true},
	{"spf", "scope", ROW(spf_scope), true},
	{"spf", "result", ROW(spf_result), true},
};

static void take_text(struct reading *r, const struct text_element *list, size_t n, void *to)
{
	for (size_t i = 0; i < n; i++)
		if (is(r, 0, list[i].name) && is(r, 1, list[i].parent))
			*(str *)(void *)((char *)to + list[i].at) = list[i].word ? word_of(r) : text_of(r);
}

static void take_signature(struct reading *r)
{
	struct open_record *now = &r->now;

	if (!is(r, 1, "dkim") || !is(r, 2, "auth_results") || now->signatures_n == 0)
		return;
	struct dkim_result *s = &now->signatures[now->signatures_n - 1];
	if (is(r, 0, "domain"))
		s->domain = word_of(r);
	else if (is(r, 0, "selector"))
		s->selector = word_of(r);
	else if (is(r, 0, "result"))
		s->result = result_of(word_of(r));
}

static void take_numbers(struct reading *r)
{
	struct dmarc_report *report = r->report;

	if (is(r, 0, "count") && is(r, 1, "row"))
		r->now.record.count = number_of(r);
	else if (is(r, 0, "begin") && is(r, 1, "date_range"))
		report->from = (int64_t)number_of(r) * USEC_PER_SEC;
	else if (is(r, 0, "end") && is(r, 1, "date_range"))
		report->until = (int64_t)number_of(r) * USEC_PER_SEC;
	else if (is(r, 0, "testing") && is(r, 1, "policy_published"))
		report->testing = str_equal(word_of(r), STR("y"));
}

static bool make_room(struct reading *r)
{
	size_t n = r->report->records_n, room = n == 0 ? RECORDS_FIRST : 2 * n;

	if (n < r->records_room)
		return true;
	struct dmarc_report_record *more = arena_array(r->arena, room, sizeof(*more));
	if (more == NULL)
		return false;
	for (size_t i = 0; i < n; i++)
		more[i] = r->records[i];
	r->records = more;
	r->records_room = room;
	return true;
}

static void end_record(struct reading *r)
{
	struct open_record *now = &r->now;
	struct dkim_result *kept = arena_array(r->arena, now->signatures_n, sizeof(*kept));

	if (r->report->records_n == DMARC_REPORT_RECORDS_MAX || kept == NULL || !make_room(r))
		return fail(r, E_LIMIT);
	for (size_t i = 0; i < now->signatures_n; i++)
		kept[i] = now->signatures[i];
	now->record.row.dkim_results = kept;
	now->record.row.dkim_n = now->signatures_n;
	r->records[r->report->records_n++] = now->record;
}

/* --- what expat calls --- */

static const char *without_prefix(const char *name)
{
	const char *colon = strrchr(name, ':');

	return colon == NULL ? name : colon + 1;
}

static void begin_element(void *ctx, const XML_Char *name, const XML_Char **attributes)
{
	struct reading *r = ctx;

	(void)attributes;
	if (r->depth == DEPTH_MAX)
		return fail(r, E_LIMIT);
	str own = str_from(without_prefix(name));
	size_t n = own.n < NAME_SIZE ? own.n : 0; /* no name of ours is that long */
	memcpy(r->names[r->depth], own.p, n);
	r->names[r->depth++][n] = '\0';
	buf_reset(&r->text);
	if (r->depth <= 2) /* there are reports within an <xs:schema> */
		r->is_report |= is(r, 0, "feedback");
	if (is(r, 0, "record"))
		r->now = (struct open_record){0};
	if (is(r, 0, "dkim") && is(r, 1, "auth_results") && r->now.signatures_n < SIGNATURES_MAX)
		r->now.signatures[r->now.signatures_n++] = (struct dkim_result){0};
}

static void end_element(void *ctx, const XML_Char *name)
{
	struct reading *r = ctx;

	(void)name;
	take_text(r, of_report, ARRAY_LEN(of_report), r->report);
	take_text(r, of_row, ARRAY_LEN(of_row), &r->now.record.row);
	take_signature(r);
	take_numbers(r);
	if (is(r, 0, "record"))
		end_record(r);
	buf_reset(&r->text);
	if (r->arena->full)
		fail(r, E_LIMIT);
	r->depth--;
}

static void characters(void *ctx, const XML_Char *p, int n)
{
	struct reading *r = ctx;
	str text = str_make(p, (size_t)n);

	buf_put(&r->text, str_take(text, TEXT_MAX - r->text.n));
}

/* Whoever declares entities has no report for us. */
static void entity(void *ctx, const XML_Char *name, int is_parameter, const XML_Char *value, int n,
                   const XML_Char *base, const XML_Char *system, const XML_Char *public, const XML_Char *notation)
{
	(void)name, (void)is_parameter, (void)value, (void)n, (void)base, (void)system, (void)public, (void)notation;
	fail(ctx, E_SYNTAX);
}

/* --- the whole --- */

static bool feed(struct reading *r, str xml)
{
	enum XML_Status status = XML_STATUS_OK;

	while (status == XML_STATUS_OK && xml.n > 0) {
		str part = str_take(xml, FEED_MAX);

		xml = str_drop(xml, part.n);
		status = XML_Parse(r->parser, part.p, (int)part.n, xml.n == 0);
	}
	return status == XML_STATUS_OK;
}

static err conclude(struct reading *r, bool whole)
{
	if (r->failed != OK)
		return err_note(r->failed, r->failed == E_LIMIT ? "a DMARC report is too large"
		                                                : "a DMARC report declares entities");
	if (!r->is_report || (!whole && r->report->records_n == 0))
		return err_note(E_SYNTAX, "no DMARC report: %s", XML_ErrorString(XML_GetErrorCode(r->parser)));
	r->report->records = r->records;
	return OK;
}

static err parse_xml(str xml, struct arena *a, struct dmarc_report *out)
{
	struct reading *r = arena_alloc(a, sizeof(*r));

	*out = (struct dmarc_report){0};
	if (r == NULL)
		return err_note(E_LIMIT, "no memory for a report");
	*r = (struct reading){.report = out, .arena = a, .text = BUF_INIT(TEXT_MAX)};
	r->parser = XML_ParserCreate(NULL);
	if (r->parser == NULL)
		return err_note(E_LIMIT, "no memory for a report");
	XML_SetUserData(r->parser, r);
	XML_SetElementHandler(r->parser, begin_element, end_element);
	XML_SetCharacterDataHandler(r->parser, characters);
	XML_SetEntityDeclHandler(r->parser, entity);
	bool whole = feed(r, xml);
	err e = conclude(r, whole);
	XML_ParserFree(r->parser);
	buf_free(&r->text);
	return e;
}

/* There are programs that write an address as "<a@b>", which no element can be called, and others that have a "<" in a text: without these the rest can be read. */
static bool is_stray(str tag)
{
	str name = str_take(tag, str_find(tag, ' '));
	bool address = str_find(name, '@') < name.n && str_find(name, '=') == name.n;

	return tag.n > 0 && (address || str_find(str_drop(tag, 1), '<') < tag.n - 1);
}

/* True: it had some. */
static bool drop_strays(str xml, struct buf *out)
{
	size_t found = 0;

	while (xml.n > 0 && found <= STRAYS_MAX) {
		str rest = str_drop(xml, str_find(xml, '<')), near = str_take(rest, TAG_MAX);
		str tag = str_take(near, str_find(near, '>'));

		buf_put(out, str_take(xml, xml.n - rest.n));
		if (!is_stray(tag)) {
			buf_put(out, tag);
			xml = str_drop(rest, tag.n);
			continue;
		}
		found++;
		xml = str_drop(rest, 1);
	}
	return found > 0 && found <= STRAYS_MAX && !out->full;
}

static err parse_repaired(str xml, struct arena *a, struct dmarc_report *out)
{
	BUF(repaired, DMARC_REPORT_SIZE_MAX);
	err e = parse_xml(xml, a, out);

	if (e == E_SYNTAX && drop_strays(xml, &repaired))
		e = parse_xml(buf_str(&repaired), a, out);
	return e;
}

err dmarc_report_parse(str octets, struct arena *a, struct dmarc_report *out)
{
	BUF(unpacked, DMARC_REPORT_SIZE_MAX);
	err e = OK;

	*out = (struct dmarc_report){0};
	if (gzip_is(octets) || zip_is(octets)) {
		e = gzip_is(octets) ? gzip_unpack(octets, &unpacked) : zip_unpack(octets, &unpacked);
		octets = buf_str(&unpacked);
	}
	if (e == OK && octets.n > DMARC_REPORT_SIZE_MAX)
		e = err_note(E_LIMIT, "a DMARC report is too large");
	return e == OK ? parse_repaired(octets, a, out) : e;
}
