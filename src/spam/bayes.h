/* SPDX-License-Identifier: ISC */
/* bayes - how much a message looks like those that were learned as spam (Robinson, Fisher). Pure. */
#ifndef SPAM_BAYES_H
#define SPAM_BAYES_H

#include "spam/model.h"
#include "spam/tokens.h"

enum {
	BAYES_LEARNED_MIN = 50,
	BAYES_WORDS_MAX = 5
}; /* messages of each kind before it says anything; words that are named */
struct bayes_result {
	bool known;  /* enough was learned */
	double spam; /* 0 wanted .. 1 spam */
	str words;   /* those that decided: "viagra 0.99, meeting 0.02" */
};
/* `own`: of the recipient's account, may be NULL; it counts more. */
MUST_USE err bayes_judge(const struct model *all, const struct model *own, const struct token *tokens, size_t n,
                         struct arena *a, struct bayes_result *out);

#endif
