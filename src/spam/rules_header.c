/* SPDX-License-Identifier: ISC */
/* What its header says. */
#include "mail/date_field.h"
#include "mail/encoded_word.h"
#include "mail/mailbox_list.h"
#include "spam/judging.h"

#define DAY (86400 * USEC_PER_SEC)

enum { VALUE_MAX = 2000, CAPITALS_MIN = 10 };

static bool is_there(str value)
{
	return value.p != NULL;
}

static void look_at_date(struct judging *j)
{
	int64_t at;

	if (!is_there(j->fields.date))
		judging_hit(j, RULE_DATE_MISSING, "there is none");
	else if (!date_field_parse(j->fields.date, &at))
		judging_hit(j, RULE_DATE_MALFORMED, STR_FMT, STR_ARG(str_take(j->fields.date, 80)));
	else if (at > j->in->now + DAY)
		judging_hit(j, RULE_DATE_FUTURE, STR_FMT, STR_ARG(j->fields.date));
	else if (at < j->in->now - 14 * DAY)
		judging_hit(j, RULE_DATE_OLD, STR_FMT, STR_ARG(j->fields.date));
}

/* RFC 5322 3.6.4, as far as anybody keeps it: something with an "@" in brackets. */
static bool is_id(str id)
{
	return str_starts(id, STR("<")) && str_ends(id, STR(">")) && str_find(id, '@') > 1 &&
	       str_find(id, '@') + 2 < id.n && str_find(id, ' ') == id.n;
}

static void look_at_id(struct judging *j)
{
	if (!is_there(j->fields.message_id))
		judging_hit(j, RULE_ID_MISSING, "there is none");
	else if (!is_id(j->fields.message_id))
		judging_hit(j, RULE_ID_MALFORMED, STR_FMT, STR_ARG(str_take(j->fields.message_id, 80)));
}

/* --- Subject --- */

static bool is_in_capitals(str text)
{
	size_t capitals = 0, small = 0;

	for (size_t i = 0; i < text.n; i++) {
		capitals += text.p[i] >= 'A' && text.p[i] <= 'Z';
		small += text.p[i] >= 'a' && text.p[i] <= 'z';
	}
	return capitals >= CAPITALS_MIN && small == 0;
}

/* Base64 of ASCII alone; the Q encoding is what some programs write whenever there is a question mark. */
static bool is_hidden(str raw, str text)
{
	return encoded_words_any(raw) && str_is_ascii(text) &&
	       (str_contains(raw, STR("?B?")) || str_contains(raw, STR("?b?")));
}

static void look_at_subject(struct judging *j)
{
	str raw = str_take(j->fields.subject, VALUE_MAX);
	BUF(text, 2 * VALUE_MAX);

	encoded_words_decode(&text, raw);
	str subject = str_trim(buf_str(&text));
	if (subject.n == 0)
		judging_hit(j, RULE_SUBJECT_EMPTY, "%s", is_there(raw) ? "it is empty" : "there is none");
	if (is_in_capitals(subject))
		judging_hit(j, RULE_SUBJECT_CAPITALS, STR_FMT, STR_ARG(str_take(subject, 80)));
	if (is_hidden(raw, subject))
		judging_hit(j, RULE_SUBJECT_ENCODED, STR_FMT, STR_ARG(str_take(subject, 80)));
}

/* --- addresses --- */

static str domain_of(str address)
{
	return str_drop(address, str_find_last(address, '@') + 1);
}

/* "local@domain" somewhere in a display name. */
static str address_in(str name)
{
	for (str word = str_word(&name); word.n > 0; word = str_word(&name)) {
		size_t at = str_find(word, '@');
		str domain = str_drop(word, at + 1);
		if (at > 0 && str_find(domain, '.') < domain.n && str_find(domain, '.') > 0)
			return word;
	}
	return STR_NONE;
}

static bool is_end(char c)
{
	return str_find(STR("<>()[]\"',;:"), c) < 11;
}

static str without_ends(str word)
{
	while (word.n > 0 && is_end(word.p[word.n - 1]))
		word.n--;
	while (word.n > 0 && is_end(word.p[0]))
		word = str_drop(word, 1);
	return word;
}

static bool is_same_owner(struct judging *j, str domain, str other)
{
	return str_equal(judging_registered(arena_lower(&j->own, domain)),
	                 judging_registered(arena_lower(&j->own, other)));
}

static void look_at_from(struct judging *j, const struct dmarc_author *from)
{
	str shown = without_ends(address_in(from->name));

	if (shown.n > 0 && !is_same_owner(j, domain_of(shown), from->domain))
		judging_hit(j, RULE_FROM_NAME_ADDRESS, "\"" STR_FMT "\" is " STR_FMT, STR_ARG(from->name),
		            STR_ARG(from->address));
}

static bool is_free_mail(str domain)
{
	static const char *const providers[] = {
		"gmail.com",  "googlemail.com", "yahoo.com", "hotmail.com",    "outlook.com",
		"live.com",   "msn.com",        "aol.com",   "gmx.de",         "gmx.net",
		"gmx.com",    "web.de",         "mail.ru",   "yandex.ru",      "yandex.com",
		"icloud.com", "me.com",         "proton.me", "protonmail.com", "qq.com",
		"163.com",    "126.com",        "mail.com",  "zoho.com",       "tutanota.com",
		"tuta.io",    "yahoo.co.uk",    "naver.com", "rediffmail.com", "libero.it",
		"orange.fr",  "laposte.net",    "seznam.cz", "wp.pl",          NULL};

	for (const char *const *p = providers; *p != NULL; p++)
		if (str_equal_nocase(domain, str_from(*p)))
			return true;
	return false;
}

static void look_at_reply(struct judging *j, const struct dmarc_author *from)
{
	struct mailbox_list to;

	if (!is_there(j->fields.reply_to) ||
	    mailbox_list_parse(str_take(j->fields.reply_to, VALUE_MAX), &j->own, &to) != OK || to.n == 0)
		return;
	if (is_free_mail(domain_of(to.addresses[0])) && !str_equal_nocase(domain_of(to.addresses[0]), from->domain))
		judging_hit(j, RULE_REPLY_ELSEWHERE, STR_FMT ", from " STR_FMT, STR_ARG(to.addresses[0]),
		            STR_ARG(from->address));
}

/* --- others --- */

/* The newest trace header is of whoever had the message before us: it cannot be ours. */
static void look_at_received(struct judging *j)
{
	str value = header_unfold(&j->own, str_take(j->fields.received, VALUE_MAX));

	for (str word = str_word(&value); word.n > 0; word = str_word(&value)) {
		if (!str_equal_nocase(word, STR("by")))
			continue;
		if (str_equal_nocase(without_ends(str_word(&value)), j->in->config->hostname))
			judging_hit(j, RULE_RECEIVED_FORGED, "Received: " STR_FMT,
			            STR_ARG(str_take(j->fields.received, 200)));
		return;
	}
}

static bool is_bulk(const struct judging_fields *f)
{
	return is_there(f->list_id) || str_equal_nocase(f->precedence, STR("bulk")) ||
	       str_equal_nocase(f->precedence, STR("list"));
}

void judge_header(struct judging *j)
{
	const struct judging_fields *f = &j->fields;

	look_at_date(j);
	look_at_id(j);
	look_at_subject(j);
	if ((!str_is_ascii(f->subject) || !str_is_ascii(f->from)) && (j->in->message->flags & MESSAGE_UTF8) == 0)
		judging_hit(j, RULE_HEADER_RAW, "From or Subject is not ASCII");
	if (j->in->author != NULL) {
		look_at_from(j, j->in->author);
		look_at_reply(j, j->in->author);
	}
	if (j->in->client != NULL)
		look_at_received(j);
	if (str_find(f->to, '@') == f->to.n && str_find(f->cc, '@') == f->cc.n)
		judging_hit(j, RULE_TO_UNDISCLOSED, "To: " STR_FMT, STR_ARG(str_take(f->to, 80)));
	if (is_bulk(f) && !is_there(f->list_unsubscribe))
		judging_hit(j, RULE_BULK_NO_UNSUBSCRIBE, "it is of a list, or says that it is bulk");
}
