/* SPDX-License-Identifier: ISC */
#include "filter/reports.h"

#include "base/date.h"
#include "conf/domain_name.h"
#include "mail/header.h"
#include "mail/mime.h"
#include "mailauth/arf.h"
#include "mailauth/dmarc_report.h"
#include "mailauth/tls_report.h"
#include "rt/rt.h"

enum { MEMORY = 64 << 20, TEXT_MAX = 48 << 10, NAME_OCTETS_MAX = 250 };

enum kind { KIND_NONE, KIND_DMARC, KIND_TLS, KIND_ARF };

/* --- which part it is --- */

static bool has_type(const struct mime_part *p, const char *const *types)
{
	for (; *types != NULL; types++) {
		str type, subtype;
		(void)str_cut(str_from(*types), '/', &type, &subtype);
		if (mime_is(p, type, subtype))
			return true;
	}
	return false;
}

/* RFC 9990 3.1.1: "receiver!domain!begin!end.xml.gz". Others leave parts of that out. */
static enum kind kind_by_name(const struct mime_part *p, bool archive, struct arena *a)
{
	str name = arena_lower(a, mime_file_name(p, a));

	if (str_ends(name, STR(".json")) || str_ends(name, STR(".json.gz")))
		return KIND_TLS;
	if (str_ends(name, STR(".xml")) || str_contains(name, STR(".xml.")) || str_find(name, '!') < name.n)
		return KIND_DMARC;
	return archive && (name.n == 0 || str_ends(name, STR(".zip")) || str_ends(name, STR(".gz"))) ? KIND_DMARC
	                                                                                             : KIND_NONE;
}

static enum kind kind_of(const struct mime_part *p, bool reports, struct arena *a)
{
	static const char *const tls[] = {"application/tlsrpt+gzip", "application/tlsrpt+json", NULL};
	static const char *const arf[] = {"message/feedback-report", NULL};
	static const char *const xml[] = {"application/xml", "text/xml", NULL};
	static const char *const packed[] = {"application/gzip",
	                                     "application/x-gzip",
	                                     "application/x-gzip-compressed",
	                                     "application/gzip-compressed",
	                                     "application/zip",
	                                     "application/x-zip-compressed",
	                                     "application/x-zip",
	                                     "application/octet-stream",
	                                     NULL};

	if (has_type(p, arf))
		return KIND_ARF;
	if (p->kind != MIME_LEAF)
		return KIND_NONE;
	if (has_type(p, tls))
		return KIND_TLS;
	if (has_type(p, xml))
		return KIND_DMARC;
	return has_type(p, packed) ? kind_by_name(p, reports, a) : KIND_NONE;
}

/* RFC 9990 3.1.2: "Report Domain: example.org Submitter: ..." */
static bool says_report(str message, struct arena *a)
{
	struct header_field f;

	return header_find(message, STR("Subject"), &f) &&
	       str_starts_nocase(header_unfold(a, f.value), STR("Report Domain:"));
}

/* --- whose, about whom --- */

static str cut(str text)
{
	return str_trim(str_take(text, NAME_OCTETS_MAX));
}

static str domain_part(str address)
{
	str domain = str_drop(address, str_find_last(address, '@') + 1);

	return str_find(address, '@') < address.n ? str_take(domain, str_find(domain, '>')) : STR("");
}

static bool is_ours(const struct config *c, str domain, struct arena *a, str *out)
{
	return domain_name_fold(domain, a, out) == OK && config_domain_find(c, *out) != NULL;
}

/* Is one of them the other's parent, or the same? */
static bool is_related(str a, str b)
{
	str small = a.n < b.n ? a : b, large = a.n < b.n ? b : a;

	if (small.n == 0 || str_find(small, '.') == small.n || !str_ends_nocase(large, small))
		return false;
	return large.n == small.n || large.p[large.n - small.n - 1] == '.';
}

static void fill(const struct reports_input *in, const char *kind, str organization, str contact,
                 struct report_read *out)
{
	str from = domain_part(contact);

	if (organization.n == 0)
		organization = from.n > 0 ? from : in->author.n > 0 ? in->author : STR("unknown");
	out->kind = str_from(kind);
	out->organization = cut(organization);
	out->verified = in->verified && (is_related(in->author, from) || is_related(in->author, organization)) ? 1 : 0;
}

static err about_somebody_else(str domain)
{
	return err_note(E_DENIED, "a report about " STR_FMT ", which is not ours", STR_ARG(cut(domain)));
}

/* --- one of each kind --- */

static err read_dmarc(const struct reports_input *in, str octets, struct arena *a, struct buf *text,
                      struct report_read *out)
{
	struct dmarc_report r;
	err e = dmarc_report_parse(octets, a, &r);

	if (e != OK)
		return e;
	if (!is_ours(in->config, r.domain, a, &out->domain))
		return about_somebody_else(r.domain);
	fill(in, "dmarc", r.organization, r.contact, out);
	out->id = cut(r.id);
	out->from = (uint64_t)r.from;
	out->until = (uint64_t)r.until;
	dmarc_report_json(text, &r);
	return OK;
}

static err read_tls(const struct reports_input *in, str octets, struct arena *a, struct buf *text,
                    struct report_read *out)
{
	struct tls_report r;
	bool ours = false;
	err e = tls_report_parse(octets, a, &r);

	if (e != OK)
		return e;
	for (size_t i = 0; i < r.policies_n && !ours; i++)
		ours = is_ours(in->config, r.policies[i].domain, a, &out->domain);
	if (!ours)
		return about_somebody_else(r.policies_n > 0 ? r.policies[0].domain : STR("nobody"));
	fill(in, "tls", r.organization, r.contact, out);
	out->id = cut(r.id);
	out->from = (uint64_t)r.from;
	out->until = (uint64_t)r.until;
	tls_report_json(text, &r);
	return OK;
}

/* A complaint has no id but that of its mail. */
static str complaint_id(str message, const struct arf *f, struct arena *a)
{
	struct header_field field;

	if (header_find(message, STR("Message-ID"), &field))
		return cut(header_unfold(a, field.value));
	return cut(f->message_id.n > 0 ? f->message_id : f->envelope_id);
}

static err read_arf(const struct reports_input *in, struct arena *a, struct buf *text, struct report_read *out)
{
	struct arf f;
	bool ours = false;
	err e = arf_parse(in->message, a, &f);

	if (e != OK)
		return e;
	for (size_t i = 0; i < f.domains_n && !ours; i++)
		ours = is_ours(in->config, f.domains[i], a, &out->domain);
	if (!ours)
		return about_somebody_else(f.domains_n > 0 ? f.domains[0] : STR("nobody"));
	fill(in, "arf", f.reporter.n > 0 ? f.reporter : in->author, STR(""), out);
	out->id = complaint_id(in->message, &f, a);
	out->from = out->until = (uint64_t)f.arrived;
	arf_json(text, &f);
	return OK;
}

struct reading {
	const struct reports_input *in;
	const struct mime_part *part;
	enum kind kind;
	struct arena *memory;
	struct buf *text;
	struct report_read *out;
	err result;
};

static err read_part(const struct reading *r)
{
	BUF(octets, DMARC_REPORT_SIZE_MAX);
	err e = OK;

	if (r->kind == KIND_ARF)
		return read_arf(r->in, r->memory, r->text, r->out);
	e = mime_content(r->part, &octets);
	if (e != OK)
		return e;
	if (r->kind == KIND_DMARC)
		return read_dmarc(r->in, buf_str(&octets), r->memory, r->text, r->out);
	return read_tls(r->in, buf_str(&octets), r->memory, r->text, r->out);
}

static void read_in_thread(void *arg)
{
	struct reading *r = arg;

	r->result = read_part(r);
}

/* --- the whole --- */

/* Out of the memory of the parsers. */
static err keep(const struct report_read *r, const struct buf *text, struct arena *a, struct report_read *out)
{
	*out = *r;
	out->organization = arena_line(a, r->organization, ' ');
	out->domain = arena_str(a, r->domain);
	out->id = arena_line(a, r->id, ' ');
	if (r->id.n == 0)
		out->id = arena_printf(a, "%llu-%llu", (unsigned long long)r->from, (unsigned long long)r->until);
	out->text = arena_str(a, buf_str(text));
	return text->full || a->full ? err_note(E_LIMIT, "no memory for a report") : OK;
}

err reports_read(const struct reports_input *in, struct arena *a, struct report_read *out)
{
	ARENA(memory, MEMORY);
	BUF(text, TEXT_MAX);
	struct mime mime;
	struct report_read r = {0};
	bool reports = says_report(in->message, &memory);
	err e = mime_read(in->message, &memory, &mime);

	for (size_t i = 0; e == OK && i < mime.n; i++) {
		enum kind kind = kind_of(&mime.parts[i], reports, &memory);
		if (kind == KIND_NONE)
			continue;
		struct reading reading = {in, &mime.parts[i], kind, &memory, &text, &r, OK};
		rt_work(read_in_thread, &reading); /* sixteen megabytes of XML take a while */
		return reading.result == OK ? keep(&r, &text, a, out) : reading.result;
	}
	return e == OK ? err_note(E_NOT_FOUND, "it brings no report") : e;
}
