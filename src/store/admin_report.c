/* SPDX-License-Identifier: ISC */
/* pombo reports: what others have reported, the newest first. */
#include "conf/domain_name.h"
#include "store/admin.h"

/* "from" and "until" are empty when the report does not say. */
static void time_cell(struct admin *x, struct row *row, const char *name, uint64_t usec)
{
	if (usec == 0)
		admin_str(x, row, name, STR(""));
	else
		admin_time(x, row, name, usec);
}

static void report_row(struct admin *x, struct query *q)
{
	struct row *row = admin_row(x);

	admin_str(x, row, "kind", query_str(q));
	admin_str(x, row, "domain", query_str(q));
	admin_str(x, row, "organization", query_str(q));
	admin_str(x, row, "id", query_str(q));
	admin_id(x, row, "message", query_num(q));
	time_cell(x, row, "from", query_num(q));
	time_cell(x, row, "until", query_num(q));
	admin_str(x, row, "verified", query_num(q) != 0 ? STR("yes") : STR("no"));
	admin_str(x, row, "text", query_str(q));
}

static err reports_read(struct admin *x, struct db *db)
{
	struct query q =
		db_query(db, "SELECT kind, domain, organization, id, message, since, until, verified, text FROM report"
	                     " WHERE ? = '' OR domain = ? ORDER BY message DESC, kind, domain, organization, id"
	                     " LIMIT -1 OFFSET ?");
	uint64_t told = admin_resume(x);
	str domain;

	if (domain_name_fold(admin_word(x, 1), x->arena, &domain) != OK)
		domain = admin_word(x, 1); /* none of ours, or none at all */
	query_put_str(&q, domain);
	query_put_str(&q, domain);
	query_put_num(&q, told);
	while (query_row(&q)) {
		if (admin_full(x)) {
			admin_more(x, told);
			break;
		}
		report_row(x, &q);
		told++;
	}
	return query_end(&q);
}

err admin_reports(struct admin *x)
{
	if (x->request->words_n > 2)
		return admin_usage("reports [DOMAIN]");
	return admin_read(x, reports_read);
}
