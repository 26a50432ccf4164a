/* SPDX-License-Identifier: ISC */
#include "spam/rules.h"

#include "conf/points.h"
#include "spam/judge.h"

const struct rule_text rules[RULE_COUNT] = {
#define RULES_ROW(id, name, points, what) [RULE_##id] = {{name, sizeof(name) - 1}, (points), {what, sizeof(what) - 1}},
	RULES(RULES_ROW)
#undef RULES_ROW
};

bool rules_known(str name)
{
	for (size_t i = 0; i < RULE_COUNT; i++)
		if (str_equal(rules[i].name, name))
			return true;
	return false;
}

int64_t rules_points(const struct config *c, enum rule r)
{
	for (size_t i = 0; i < c->rules_n; i++)
		if (str_equal(c->rules[i].name, rules[r].name))
			return c->rules[i].points;
	return rules[r].points;
}

void judge_manual(struct buf *out)
{
	for (size_t i = 0; i < RULE_COUNT; i++) {
		buf_puts(out, ".It Sy ");
		buf_put(out, rules[i].name);
		buf_puts(out, " Pq ");
		points_print(out, rules[i].points);
		buf_puts(out, "\n");
		buf_put(out, rules[i].what);
		buf_puts(out, "\n");
	}
}
