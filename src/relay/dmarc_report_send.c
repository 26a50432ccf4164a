/* SPDX-License-Identifier: ISC */
/* One domain's report: who gets it, what it says, and its mail, which the queue carries on. */
#include "base/date.h"
#include "base/log.h"
#include "mailauth/dmarc_report.h"
#include "mailauth/gzip.h"
#include "relay/dmarc_reporting.h"
#include "relay/own_mail.h"
#include "relay/state.h"

enum { MEMORY = 32 << 20, XML_MAX = DMARC_REPORT_SIZE_MAX, PACKED_MAX = 5 << 20, MAIL_MAX = 8 << 20 };

/* Of one domain. */
struct sending {
	const struct dmarc_report_due *due;
	struct relay *relay;
	struct arena *arena;
	struct dmarc_report report; /* with all records */
	struct dmarc_place places[DMARC_PLACES_MAX];
	size_t places_n;
};

/* --- what it says --- */

static void read_rows(struct sending *s)
{
	const struct dmarc_report_due *due = s->due;
	struct dmarc_report_record *records = arena_array(s->arena, due->rows_n, sizeof(*records));
	size_t n = 0;

	for (size_t i = 0; i < due->rows_n && records != NULL; i++) {
		if (dmarc_row_parse(due->rows[i].row, s->arena, &records[n].row) == OK)
			records[n++].count = due->rows[i].count;
	}
	s->report.records = records;
	s->report.records_n = n;
}

/* The record that most of the mail was judged by. */
static void fill_policy(struct sending *s)
{
	static const str names[] = {STR("none"), STR("quarantine"), STR("reject")};
	struct dmarc_report *r = &s->report;
	struct dmarc_record record;

	if (dmarc_record_parse(r->records[0].row.record, s->arena, &record) == E_NOT_FOUND)
		record = (struct dmarc_record){.fo = STR("0")};
	r->p = names[record.p];
	r->sp = names[record.sp];
	r->np = names[record.np];
	r->adkim = record.strict_dkim ? STR("s") : STR("r");
	r->aspf = record.strict_spf ? STR("s") : STR("r");
	r->fo = record.fo;
	r->testing = record.testing;
}

/* Of the day and the domain alone: who gets it twice sees that it is the same. */
static str report_id(const struct sending *s)
{
	const struct dmarc_report_due *due = s->due;

	return arena_printf(s->arena, STR_FMT ".%lld.%lld@" STR_FMT, STR_ARG(due->domain),
	                    (long long)(due->from / USEC_PER_SEC), (long long)(due->until / USEC_PER_SEC),
	                    STR_ARG(own_mail_domain(s->relay)));
}

/* E_NOT_FOUND: there is nothing to tell. */
static err write_report(struct sending *s)
{
	s->report = (struct dmarc_report){.organization = arena_str(s->arena, own_mail_domain(s->relay)),
	                                  .contact = own_mail_contact(s->relay, s->arena),
	                                  .id = report_id(s),
	                                  .from = s->due->from,
	                                  .until = s->due->until,
	                                  .domain = s->due->domain};
	read_rows(s);
	if (s->report.records_n == 0)
		return s->arena->full ? err_note(E_LIMIT, "no memory for a report") : E_NOT_FOUND;
	fill_policy(s);
	return OK;
}

/* RFC 9990 3.1.3: when it is larger than is wanted there, the weightiest records have to do. */
static err pack(const struct dmarc_report *all, uint64_t max, struct dmarc_report *out, struct buf *packed)
{
	uint64_t most = max > 0 && max < PACKED_MAX ? max : PACKED_MAX;
	BUF(xml, XML_MAX);
	err e;

	*out = *all;
	do {
		buf_reset(&xml);
		buf_reset(packed);
		dmarc_report_print(&xml, out);
		e = xml.full ? E_LIMIT : gzip_pack(buf_str(&xml), packed);
		if (e == OK && packed->n <= most)
			return OK;
		out->records_n /= 2;
	} while (out->records_n > 0);
	return e == OK || e == E_LIMIT ? err_note(E_LIMIT, "the report is too large") : e;
}

/* --- its mail --- */

static err send_mail(struct sending *s, size_t number, const struct dmarc_place *place)
{
	BUF(packed, PACKED_MAX);
	BUF(text, MAIL_MAX);
	struct dmarc_report report;
	str domain = s->due->domain;
	err e = pack(&s->report, place->max, &report, &packed);

	if (e != OK)
		return e;
	const struct own_mail mail = {
		.from = s->report.contact,
		.to = place->to,
		.message_id = arena_printf(s->arena, "<%zu." STR_FMT ">", number, STR_ARG(s->report.id)),
		.subject = arena_printf(s->arena, "Report Domain: " STR_FMT, STR_ARG(domain)),
		.text = &text};
	dmarc_report_mail_print(&text, &(struct dmarc_report_mail){.report = &report,
	                                                           .receiver = s->report.organization,
	                                                           .to = place->to,
	                                                           .message_id = mail.message_id,
	                                                           .packed = buf_str(&packed),
	                                                           .at = rt_wall()});
	return own_mail_send(s->relay, &mail, s->arena);
}

static err send_to(struct sending *s, size_t i)
{
	err e = send_mail(s, i + 1, &s->places[i]);

	if (e == OK)
		LOG(INFO, "relay.dmarc-report", LOG_STR("domain", s->due->domain), LOG_STR("to", s->places[i].to),
		    LOG_STR("id", s->report.id));
	else if (e != E_CANCELLED)
		LOG(INFO, "relay.dmarc-report-failed", LOG_STR("domain", s->due->domain),
		    LOG_STR("to", s->places[i].to), LOG_Z("error", err_info()->text));
	return e;
}

static bool is_passing(err e)
{
	return e == E_TEMP || e == E_TIMEOUT || e == E_CLOSED || e == E_BUSY || e == E_FULL;
}

/* One that has it will do: the others would get it twice. */
static err send_everywhere(struct sending *s)
{
	size_t taken = 0, later = 0;

	for (size_t i = 0; i < s->places_n; i++) {
		err e = send_to(s, i);
		if (e == E_CANCELLED)
			return e;
		taken += e == OK;
		later += is_passing(e);
	}
	return taken == 0 && later > 0 ? E_TEMP : OK;
}

/* --- all together --- */

static err gave_up(const struct dmarc_report_due *due, err e)
{
	if (e == E_NOT_FOUND)
		return OK;
	if (e == E_CANCELLED)
		return e;
	LOG(INFO, "relay.dmarc-report-failed", LOG_STR("domain", due->domain), LOG_Z("to", ""),
	    LOG_Z("error", err_info()->text));
	return is_passing(e) ? E_TEMP : OK;
}

err dmarc_report_send(const struct dmarc_report_due *due)
{
	ARENA(a, MEMORY);
	struct sending s = {.due = due, .relay = due->relay, .arena = &a};
	err e = write_report(&s);

	if (e == OK)
		e = dmarc_report_places(s.relay, due->domain, s.report.records[0].row.record, &a, s.places,
		                        &s.places_n);
	return e == OK ? send_everywhere(&s) : gave_up(due, e);
}
