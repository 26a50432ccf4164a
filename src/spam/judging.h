/* SPDX-License-Identifier: ISC */
/* judging - a message that is being judged: what all rules see, and what they find. Private to this room. */
#ifndef SPAM_JUDGING_H
#define SPAM_JUDGING_H

#include "mail/header.h"
#include "spam/content.h"
#include "spam/judge.h"
#include "spam/rules.h"

enum { JUDGING_HITS_MAX = 64, JUDGING_MEMORY = 8 << 20, JUDGING_FIELDS_MAX = 1000 };

struct hit {
	enum rule rule;
	int64_t points;
};
/* The first field of each name, "" none; p NULL: it is not there. */
struct judging_fields {
	str date, from, to, cc, reply_to, subject, message_id, received, list_id, list_unsubscribe, precedence;
};
/* What the history knows things by; "" does not apply. */
struct judging_keys {
	str domain; /* the author's, and proven */
	str net, grey;
};
struct judging {
	const struct judge_input *in;
	struct judge_result *out;
	struct arena *arena; /* the caller's: for what is handed back */
	struct arena own;    /* for the rest */
	struct content content;
	struct judging_fields fields;
	struct judging_keys keys;
	str helo; /* a name that the DNS has to have; "" none is to be looked for */
	struct hit hits[JUDGING_HITS_MAX];
	size_t hits_n;
};

/* A rule holds: its line, with what shows it, and its points. */
void judging_hit(struct judging *j, enum rule rule, const char *fmt, ...) PRINTF(3, 4);
void judging_hit_points(struct judging *j, enum rule rule, int64_t points, const char *fmt, ...) PRINTF(4, 5);
/* It cannot be said whether it holds, and why. */
void judging_unknown(struct judging *j, enum rule rule, const char *fmt, ...) PRINTF(3, 4);
/* Keys of the history; E_LIMIT: no memory. */
MUST_USE err judging_keys(const struct judge_input *in, struct arena *a, struct judging_keys *out);
/* What is known by a key, NULL when nobody could be asked. */
const struct reputation *judging_known(const struct judging *j, str key);
/* The domain under which it was registered, or itself. */
str judging_registered(str domain);

/* The rules, a file each. Those that ask the DNS park. */
void judge_identity(struct judging *j);
void judge_client(struct judging *j);
void judge_history(struct judging *j);
void judge_header(struct judging *j);
void judge_content(struct judging *j);
void judge_files(struct judging *j);
MUST_USE err judge_words(struct judging *j);
MUST_USE err judge_lists(struct judging *j); /* DNSBL, URIBL, and whether HELO is a name in the DNS: all at once */
/* Once all points are known. */
MUST_USE err judge_greylist(struct judging *j);
MUST_USE err judge_notes(struct judging *j);

#endif
