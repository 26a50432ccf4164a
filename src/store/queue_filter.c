/* SPDX-License-Identifier: ISC */
#include "store/queue_filter.h"

#include <stdlib.h>

#include "base/encode.h"
#include "conf/value.h"

#define USEC (NSEC_PER_SEC / 1000000)

static const char *const shown_names[] = {"any", "waiting", "held", "failing", "sending", "quarantined"};

const char *queue_shown_name(enum queue_shown shown)
{
	return shown_names[shown];
}

/* --- words --- */

static err read_text(struct queue_filter *f, struct arena *a, str value, const str **which)
{
	for (size_t i = 0; i < ARRAY_LEN(f->text); i++) {
		if (f->text[i].p != NULL)
			continue;
		f->text[i] = str_equal(value, STR("<>")) ? STR("") : arena_lower(a, value);
		*which = &f->text[i];
		return OK;
	}
	return err_note(E_SYNTAX, "too many conditions");
}

static err read_age(struct queue_filter *f, str value)
{
	uint64_t t = 0;

	if (!value_time.scan(value, &t))
		return err_note(E_SYNTAX, "\"" STR_FMT "\" is not %s", STR_ARG(value), value_time.example);
	f->age = t / (uint64_t)USEC;
	return OK;
}

static err read_shown(struct queue_filter *f, str value)
{
	for (unsigned i = SHOWN_WAITING; i <= SHOWN_QUARANTINED; i++)
		if (str_equal(value, str_from(shown_names[i]))) {
			f->shown = (enum queue_shown)i;
			return OK;
		}
	return err_note(E_SYNTAX, "a state is waiting, held, failing, sending or quarantined");
}

static err read_condition(struct queue_filter *f, struct arena *a, str name, str value)
{
	const struct {
		const char *name;
		const str **text;
	} texts[] = {
		{"sender", &f->sender},           {"recipient", &f->recipient}, {"domain", &f->domain},
		{"destination", &f->destination}, {"site", &f->site},
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (str_equal(name, str_from(texts[i].name)))
			return read_text(f, a, value, texts[i].text);
	if (str_equal(name, STR("older")))
		return read_age(f, value);
	if (str_equal(name, STR("state")))
		return read_shown(f, value);
	return err_note(E_SYNTAX,
	                "there is no condition " STR_FMT "=; there are sender recipient domain destination older state",
	                STR_ARG(name));
}

static err read_word(struct queue_filter *f, struct arena *a, str word)
{
	str name, value;

	f->given = true;
	if (str_equal(word, STR("all")))
		return OK;
	if (str_starts(word, STR("age>")))
		return read_age(f, str_drop(word, 4));
	if (str_cut(word, '=', &name, &value))
		return read_condition(f, a, name, value);
	if (f->id != 0)
		return err_note(E_SYNTAX, "one message at a time");
	return id_parse(word, &f->id) ? OK : err_note(E_SYNTAX, STR_FMT " is no message id", STR_ARG(word));
}

/* --- leases --- */

struct listing {
	struct queue_filter *f;
	struct arena *arena;
	size_t size;
};

static void count_leased(void *arg, struct lease *lease)
{
	struct listing *l = arg;

	l->size += lease->n;
}

static void list_leased(void *arg, struct lease *lease)
{
	struct listing *l = arg;

	for (size_t i = 0; i < lease->n && l->f->leased_n < l->size; i++)
		l->f->leased[l->f->leased_n++] = (struct queue_row){.message = lease->message, .rcpt = lease->rcpts[i]};
}

static int compare_rows(const void *a, const void *b)
{
	const struct queue_row *x = a, *y = b;

	if (x->message != y->message)
		return x->message < y->message ? -1 : 1;
	return x->rcpt == y->rcpt ? 0 : x->rcpt < y->rcpt ? -1 : 1;
}

static bool is_leased(const struct queue_filter *f, uint64_t message, uint64_t rcpt)
{
	const struct queue_row row = {.message = message, .rcpt = rcpt};

	return f->leased_n > 0 && bsearch(&row, f->leased, f->leased_n, sizeof(row), compare_rows) != NULL;
}

static err read_leased(struct queue_filter *f, struct admin *x)
{
	struct listing l = {.f = f, .arena = x->arena};

	leases_each(&x->store->queue->leases, count_leased, &l);
	f->leased = arena_array(x->arena, l.size, sizeof(*f->leased));
	if (f->leased == NULL)
		return err_note(E_MEMORY, "no memory to list what is being sent");
	leases_each(&x->store->queue->leases, list_leased, &l);
	qsort(f->leased, f->leased_n, sizeof(*f->leased), compare_rows);
	return OK;
}

err queue_filter_read(struct admin *x, struct queue_filter *out)
{
	err e = OK;

	*out = (struct queue_filter){.shown = SHOWN_ANY, .reason = STR("")};
	for (size_t i = 2; i < x->request->words_n && e == OK; i++) {
		str word = admin_word(x, i);

		if (str_starts(word, STR("reason=")))
			out->reason = str_drop(word, STR("reason=").n);
		else
			e = read_word(out, x->arena, word);
	}
	if (e == OK && str_has_control(out->reason))
		e = err_note(E_SYNTAX, "a reason is one line of text");
	return e == OK ? read_leased(out, x) : e;
}

/* --- pages --- */

/* "message.rcpt" */
struct queue_mark queue_mark_read(const struct admin *x)
{
	struct queue_mark m = {.begun = true};
	str message, rcpt;

	if (x->request->resume.n == 0 || !str_cut(x->request->resume, '.', &message, &rcpt) ||
	    !str_to_u64(message, INT64_MAX, &m.message) || !str_to_u64(rcpt, INT64_MAX, &m.rcpt))
		return (struct queue_mark){0};
	return m;
}

void queue_mark_tell(struct admin *x, const struct queue_mark *told)
{
	x->reply->more =
		arena_printf(x->arena, "%llu.%llu", (unsigned long long)told->message, (unsigned long long)told->rcpt);
}

/* --- walking --- */

static const char walk_sql[] =
	"SELECT q.message, q.rcpt, q.destination, q.lane, q.due, q.expires, q.attempts, q.warned, q.sender, q.reply, "
	"q.state,"
	" l.address, l.original, m.received, m.body, m.sender, m.login, m.subject, m.message_id"
	" FROM queue q LEFT JOIN ledger l ON l.message = q.message AND l.rcpt = q.rcpt AND l.side = 0"
	" LEFT JOIN message m ON m.id = q.message WHERE q.message >= ? AND q.message <= ? ORDER BY q.message, q.rcpt";

struct query queue_walk(struct db *db, const struct queue_filter *f, const struct queue_mark *mark)
{
	struct query q = db_query(db, walk_sql);

	query_put_num(&q, mark->message > f->id ? mark->message : f->id);
	query_put_num(&q, f->id != 0 ? f->id : INT64_MAX);
	return q;
}

static enum queue_shown shown_of(const struct queue_filter *f, const struct queue_entry *e, uint64_t state)
{
	if (is_leased(f, e->message, e->rcpt))
		return SHOWN_SENDING;
	if (state == QUEUE_QUARANTINED)
		return SHOWN_QUARANTINED;
	return state == QUEUE_HELD ? SHOWN_HELD : state == QUEUE_FAIL ? SHOWN_FAILING : SHOWN_WAITING;
}

static void read_entry(struct query *q, const struct queue_filter *f, struct queue_entry *e)
{
	e->message = query_num(q);
	e->rcpt = query_num(q);
	e->destination = query_str(q);
	e->lane = query_num(q);
	e->due = query_num(q);
	e->expires = query_num(q);
	e->attempts = query_num(q);
	e->warned = query_num(q);
	e->said = query_str(q);
	e->reply = query_str(q);
	e->shown = shown_of(f, e, query_num(q));
	e->address = query_str(q);
	e->original = query_str(q);
	e->received = query_num(q);
	e->size = query_num(q);
	e->sender = query_str(q);
	e->login = query_str(q);
	e->subject = query_str(q);
	e->message_id = query_str(q);
}

static bool is_behind(const struct queue_mark *mark, const struct queue_entry *e)
{
	return !mark->begun || e->message > mark->message || e->rcpt > mark->rcpt;
}

static bool same(const str *wanted, str text)
{
	return wanted == NULL || str_equal_nocase(*wanted, text);
}

static str domain_of(str address)
{
	size_t at = str_find_last(address, '@');

	return at < address.n ? str_drop(address, at + 1) : STR("");
}

/* "example.net smtp 10.0.0.5:25" is found by its first word too. */
static bool is_site(const str *site, const struct queue_entry *e)
{
	str rest = e->destination;

	return site == NULL || same(site, domain_of(e->address)) || same(site, e->destination) ||
	       same(site, str_word(&rest));
}

static bool matches(const struct queue_filter *f, const struct queue_entry *e)
{
	return (same(f->sender, e->sender) || same(f->sender, e->said)) &&
	       (same(f->recipient, e->address) || (e->original.n > 0 && same(f->recipient, e->original))) &&
	       same(f->domain, domain_of(e->address)) && same(f->destination, e->destination) && is_site(f->site, e) &&
	       (f->age == 0 || e->received + f->age <= queue_now()) && (f->shown == SHOWN_ANY || f->shown == e->shown);
}

bool queue_walk_next(struct query *q, const struct queue_filter *f, struct queue_mark *mark, struct queue_entry *out)
{
	while (query_row(q)) {
		read_entry(q, f, out);
		if (!is_behind(mark, out))
			continue;
		*mark = (struct queue_mark){out->message, out->rcpt, true};
		if (matches(f, out))
			return true;
	}
	return false;
}
