/* SPDX-License-Identifier: ISC */
/* What earlier mail shows: whom the recipients know, how mail of this domain and network was. */
#include "spam/judging.h"

enum { RECEIVED_MIN = 3, WEIGHT_HALF = 5 };

/* Every recipient must know the author for the good to count; one who is deceived is enough for the bad. */
struct contacts {
	uint64_t sent, received;
	str like;
};

static struct contacts sum_up(const struct history_reply *h)
{
	struct contacts all = {UINT64_MAX, UINT64_MAX, STR_NONE};

	for (size_t i = 0; i < h->contacts_n; i++) {
		const struct contact *c = &h->contacts[i];
		all.sent = c->sent < all.sent ? c->sent : all.sent;
		all.received = c->received < all.received ? c->received : all.received;
		all.like = all.like.n == 0 ? c->like : all.like;
	}
	return h->contacts_n == 0 ? (struct contacts){0} : all;
}

static void look_at_contacts(struct judging *j, const struct history_reply *h)
{
	struct contacts c = sum_up(h);
	bool proven = j->keys.domain.n > 0;

	if (proven && c.sent > 0)
		judging_hit(j, RULE_CONTACT_KNOWN, "%llu messages were sent to the author", (unsigned long long)c.sent);
	else if (proven && c.received >= RECEIVED_MIN)
		judging_hit(j, RULE_CONTACT_BEFORE, "%llu messages came before", (unsigned long long)c.received);
	if (c.like.n > 0)
		judging_hit(j, RULE_CONTACT_LIKE, "looks like " STR_FMT, STR_ARG(c.like));
}

/* From -1 (all good) to 1 (all bad), less where little is known, in thousandths. */
static int64_t lean(const struct reputation *r)
{
	double good = (double)r->good, bad = (double)r->bad, n = good + bad;

	return n == 0 ? 0 : (int64_t)(1000 * (bad - good) / n * (n / (n + WEIGHT_HALF)));
}

static void look_at_reputation(struct judging *j, str key, enum rule good, enum rule bad)
{
	const struct reputation *r = judging_known(j, key);
	int64_t l = r == NULL ? 0 : lean(r);
	enum rule rule = l > 0 ? bad : good;
	int64_t points = rules_points(j->in->config, rule) * (l < 0 ? -l : l) / 1000;

	if (points != 0)
		judging_hit_points(j, rule, points, STR_FMT ": %llu wanted, %llu not", STR_ARG(key),
		                   (unsigned long long)r->good, (unsigned long long)r->bad);
}

void judge_history(struct judging *j)
{
	if (j->in->history == NULL)
		return;
	look_at_contacts(j, j->in->history);
	look_at_reputation(j, j->keys.domain, RULE_DOMAIN_GOOD, RULE_DOMAIN_BAD);
	look_at_reputation(j, j->keys.net, RULE_NET_GOOD, RULE_NET_BAD);
}
