/* SPDX-License-Identifier: ISC */
/* One domain's report: does it want one, and where; then by mail, which the queue carries on, or by HTTPS. */
#include "base/date.h"
#include "base/encode.h"
#include "base/log.h"
#include "mailauth/gzip.h"
#include "relay/own_mail.h"
#include "relay/state.h"
#include "relay/tls_reporting.h"
#include "relay/web.h"
#include "rt/http.h"

#define LOOKUP_TIME (30 * NSEC_PER_SEC)
#define POST_TIME   (60 * NSEC_PER_SEC)

enum { MEMORY = 4 << 20, JSON_MAX = 2 << 20, PACKED_MAX = 400 << 10, MAIL_MAX = 700 << 10, ANSWER_MAX = 64 << 10 };

/* Of one domain. */
struct sending {
	const struct tls_report_due *due;
	struct relay *relay;
	struct arena *arena;
	struct tls_report report;
	struct tls_report_record record;
	str packed;
};

/* --- who wants it --- */

/* E_NOT_FOUND: nobody does. */
static err look_up(struct sending *s)
{
	struct dns_answer answer;
	str name = arena_printf(s->arena, "_smtp._tls." STR_FMT, STR_ARG(s->due->domain)), *txt;
	size_t n;
	err e = dns_txt(&s->relay->resolver, name, s->arena, rt_after(LOOKUP_TIME), &answer, &txt, &n);

	if (e == OK)
		e = tls_report_record(txt, n, s->arena, &s->record);
	if (e == E_SYNTAX)
		LOG(DEBUG, "relay.tls-report-record", LOG_STR("domain", s->due->domain),
		    LOG_Z("error", err_info()->text));
	return e == E_SYNTAX ? E_NOT_FOUND : e;
}

/* --- what it says --- */

/* Nobody else's: the day, the domain, and something by chance. */
static str report_id(struct sending *s)
{
	char chance[ID_TEXT_MAX];
	BUF(day, 40);

	date_rfc3339(&day, s->due->from);
	return arena_printf(s->arena, STR_FMT "." STR_FMT "." STR_FMT "@" STR_FMT, STR_ARG(str_take(buf_str(&day), 10)),
	                    STR_ARG(s->due->domain), STR_ARG(id_text(rt_random_u64(), chance)),
	                    STR_ARG(own_mail_domain(s->relay)));
}

static err write_report(struct sending *s)
{
	struct tls_report *r = &s->report;
	BUF(json, JSON_MAX);
	BUF(packed, PACKED_MAX);

	*r = (struct tls_report){.organization = arena_str(s->arena, own_mail_domain(s->relay)),
	                         .contact = own_mail_contact(s->relay, s->arena),
	                         .id = report_id(s),
	                         .from = s->due->from,
	                         .until = s->due->until};
	err e = tls_tally_policies(s->due->tally, s->due->domain, s->arena, r);
	if (e != OK)
		return e;
	tls_report_print(&json, r);
	if (json.full)
		return err_note(E_LIMIT, "the report is too large");
	e = gzip_pack(buf_str(&json), &packed);
	s->packed = arena_str(s->arena, buf_str(&packed));
	return e == OK && s->arena->full ? err_note(E_LIMIT, "no memory for the report") : e;
}

/* --- by mail --- */

static err send_mail(struct sending *s, size_t number, str to)
{
	BUF(mail, MAIL_MAX);
	str message_id = arena_printf(s->arena, "<%zu." STR_FMT ">", number, STR_ARG(s->report.id));

	tls_report_mail_print(&mail, &(struct tls_report_mail){.report = &s->report,
	                                                       .domain = s->due->domain,
	                                                       .to = to,
	                                                       .message_id = message_id,
	                                                       .packed = s->packed,
	                                                       .at = rt_wall()});
	const struct own_mail own = {.from = s->report.contact,
	                             .to = to,
	                             .message_id = message_id,
	                             .subject =
	                                     arena_printf(s->arena, "Report Domain: " STR_FMT, STR_ARG(s->due->domain)),
	                             .text = &mail};
	return own_mail_send(s->relay, &own, s->arena);
}

/* --- by HTTPS --- */

static err post(struct sending *s, const struct tls_report_uri *uri)
{
	struct relay *r = s->relay;
	struct trust *trust = trust_hold(r->trust);
	struct net_address *addresses;
	size_t n;
	str body;
	err e = web_addresses(r, s->due->domain, uri->host, uri->port, s->arena, rt_after(LOOKUP_TIME), &addresses, &n);

	if (e == OK)
		e = r->fetch(&(struct http_request){.url = uri->to,
		                                    .addresses = addresses,
		                                    .addresses_n = n,
		                                    .authorities_pem = trust->authorities,
		                                    .method_body = s->packed,
		                                    .content_type = STR("application/tlsrpt+gzip"),
		                                    .max = ANSWER_MAX},
		             &body, s->arena, rt_after(POST_TIME));
	trust_release(trust);
	return e;
}

/* --- all together --- */

static err send_to(struct sending *s, size_t i)
{
	const struct tls_report_uri *uri = &s->record.uris[i];
	err e = uri->mail ? send_mail(s, i + 1, uri->to) : post(s, uri);

	if (e == OK)
		LOG(INFO, "relay.tls-report", LOG_STR("domain", s->due->domain), LOG_STR("to", uri->to),
		    LOG_STR("id", s->report.id));
	else if (e != E_CANCELLED)
		LOG(INFO, "relay.tls-report-failed", LOG_STR("domain", s->due->domain), LOG_STR("to", uri->to),
		    LOG_Z("error", err_info()->text));
	return e;
}

/* RFC 8460 3: to all of them, and one that takes it will do. */
static err send_everywhere(struct sending *s)
{
	size_t taken = 0;
	err e = OK;

	for (size_t i = 0; i < s->record.n && e != E_CANCELLED; i++) {
		e = send_to(s, i);
		taken += e == OK;
	}
	if (e == E_CANCELLED)
		return e;
	return taken > 0 ? OK : E_TEMP;
}

err tls_report_send(const struct tls_report_due *due)
{
	ARENA(a, MEMORY);
	struct sending s = {.due = due, .relay = due->relay, .arena = &a};
	err e = look_up(&s);

	if (e == E_NOT_FOUND)
		return OK;
	if (e == OK)
		e = write_report(&s);
	if (e == OK)
		return send_everywhere(&s);
	if (e == E_CANCELLED)
		return e;
	LOG(INFO, "relay.tls-report-failed", LOG_STR("domain", due->domain), LOG_Z("to", ""),
	    LOG_Z("error", err_info()->text));
	return E_TEMP;
}
