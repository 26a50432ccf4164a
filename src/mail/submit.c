/* SPDX-License-Identifier: ISC */
#include "mail/submit.h"

#include "base/date.h"
#include "base/encode.h"
#include "mail/header.h"
#include "mail/mailbox_list.h"

/* AUTHORS_MAX: the store looks each of them up while others wait. */
enum { ADDED_MAX = 2048, DROP_MAX = 100, RESENT_MAX = 20, AUTHORS_MAX = 100 };

/* The fields that matter here: how often they were seen, and the first of each. */
enum known { FROM, SENDER, DATE, MESSAGE_ID, FIELDS };

static const str names[FIELDS] = {STR("From"), STR("Sender"), STR("Date"), STR("Message-ID")};

struct submission {
	const struct inspect_request *request;
	struct inspect_reply *reply;
	struct arena *arena;
	size_t seen[FIELDS];
	str value[FIELDS];
	str resent[RESENT_MAX]; /* values of Resent-From and Resent-Sender */
	size_t resent_n;        /* also those that there is no room for */
	size_t drop_size;       /* room in reply->drop */
	bool drop_many;
};

static void refuse(struct inspect_reply *reply, const char *text)
{
	reply->code = E_PERM;
	reply->reply = 550;
	reply->status = STR("5.6.0");
	reply->text = str_from(text);
}

/* --- the header's fields --- */

static bool drop_reserve(struct submission *s)
{
	struct inspect_reply *r = s->reply;

	if (r->drop_n < s->drop_size)
		return true;
	size_t size = s->drop_size == 0 ? 4 : s->drop_size * 2;
	struct range *more = arena_array(s->arena, size, sizeof(*more));
	if (more == NULL)
		return false;
	if (r->drop_n > 0)
		memcpy(more, r->drop, r->drop_n * sizeof(*more));
	r->drop = more;
	s->drop_size = size;
	return true;
}

/* Ranges come in order; one that goes on where the last one ends is made part of it. */
static void drop(struct submission *s, size_t offset, size_t length)
{
	struct inspect_reply *r = s->reply;
	struct range *last = r->drop_n == 0 ? NULL : &r->drop[r->drop_n - 1];

	if (last != NULL && last->offset + last->length == offset)
		last->length += length;
	else if (r->drop_n == DROP_MAX)
		s->drop_many = true;
	else if (length > 0 && drop_reserve(s))
		r->drop[r->drop_n++] = (struct range){offset, length};
}

/* RFC 5322 3.6.6: who sent it again says so in the header, and is not who wrote it. */
static bool is_resent(str name)
{
	return str_equal_nocase(name, STR("Resent-From")) || str_equal_nocase(name, STR("Resent-Sender"));
}

static void look_at_field(struct submission *s, const struct header_field *f, size_t offset)
{
	if (str_equal_nocase(f->name, STR("Bcc")) || str_equal_nocase(f->name, STR("Resent-Bcc")))
		drop(s, offset, f->whole.n);
	if (is_resent(f->name) && s->resent_n++ < RESENT_MAX)
		s->resent[s->resent_n - 1] = f->value;
	for (enum known i = 0; i < FIELDS; i++)
		if (str_equal_nocase(f->name, names[i]) && s->seen[i]++ == 0)
			s->value[i] = f->value;
}

/* Returns the octets of all fields. */
static size_t look_at_header(struct submission *s, str message)
{
	struct header_field f;
	size_t at = 0;
	bool first = true;

	while (header_next(message, &at, &f)) {
		size_t offset = at - f.whole.n;

		if (first)
			drop(s, 0, offset); /* the line of a mailbox file */
		first = false;
		look_at_field(s, &f, offset);
	}
	return at;
}

static bool has_stray_octets(str header)
{
	if (str_find(header, '\0') < header.n)
		return true;
	for (size_t at = str_find(header, '\r'); at < header.n; at += 1 + str_find(str_drop(header, at + 1), '\r'))
		if (at + 1 == header.n || header.p[at + 1] != '\n')
			return true;
	return false;
}

static bool is_ended(str rest)
{
	return rest.n == 0 || str_starts(rest, STR("\r\n")) || str_starts(rest, STR("\n"));
}

/* --- who wrote it --- */

static void add_authors(struct submission *s, const struct mailbox_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		s->reply->authors[s->reply->authors_n++].address = list->addresses[i];
}

static bool parse_authors(struct submission *s, struct mailbox_list *from, struct mailbox_list *sender)
{
	if (mailbox_list_parse(s->value[FROM], s->arena, from) != OK || from->n == 0) {
		refuse(s->reply, "The From field must name the address of the author");
		return false;
	}
	if (s->seen[SENDER] > 0 && (mailbox_list_parse(s->value[SENDER], s->arena, sender) != OK || sender->n != 1)) {
		refuse(s->reply, "The Sender field must name one address");
		return false;
	}
	return true;
}

/* Adds those of all Resent fields. NULL: no memory, or refused. */
static struct mailbox_list *parse_resent(struct submission *s)
{
	struct mailbox_list *lists = arena_array(s->arena, s->resent_n + 1, sizeof(*lists));

	for (size_t i = 0; i < s->resent_n && lists != NULL; i++) {
		if (mailbox_list_parse(s->resent[i], s->arena, &lists[i]) == OK && lists[i].n > 0)
			continue;
		refuse(s->reply, "A Resent field must name an address");
		return NULL;
	}
	return lists;
}

static size_t count_resent(const struct submission *s, const struct mailbox_list *lists)
{
	size_t n = 0;

	for (size_t i = 0; i < s->resent_n; i++)
		n += lists[i].n;
	return n;
}

/* --- what is added --- */

static void put_message_id(struct submission *s, const struct inspect_options *options, struct buf *out)
{
	char id[ID_TEXT_MAX];

	s->reply->message_id = arena_printf(s->arena, "<" STR_FMT "@" STR_FMT ">", STR_ARG(id_text(s->request->id, id)),
	                                    STR_ARG(options->hostname));
	buf_printf(out, "Message-ID: " STR_FMT "\r\n", STR_ARG(s->reply->message_id));
}

static void add_fields(struct submission *s, const struct inspect_options *options, size_t from_n)
{
	BUF(added, ADDED_MAX);
	bool local = (s->request->flags & MESSAGE_LOCAL) != 0;
	str login = local ? s->request->sender : s->request->origin->login;

	if (s->seen[DATE] == 0) {
		buf_puts(&added, "Date: ");
		date_rfc5322(&added, options->at);
		buf_puts(&added, "\r\n");
	}
	if (s->seen[MESSAGE_ID] == 0)
		put_message_id(s, options, &added);
	if (from_n > 1 && s->seen[SENDER] == 0 && login.n > 0)
		buf_printf(&added, "Sender: " STR_FMT "\r\n", STR_ARG(login));
	s->reply->headers = arena_str(s->arena, buf_str(&added));
}

/* NULL: none, the header can be read in one way only. */
static const char *fault_of_header(const struct submission *s, str message, size_t end)
{
	if (!is_ended(str_drop(message, end)))
		return "An empty line must follow the header";
	if (has_stray_octets(str_take(message, end)))
		return "The header holds a CR that stands alone, or a NUL";
	if (s->seen[FROM] != 1)
		return "The header must have exactly one From field";
	if (s->seen[SENDER] > 1)
		return "The header may have only one Sender field";
	if (s->resent_n > RESENT_MAX)
		return "The header has too many Resent fields";
	return s->drop_many ? "The header has too many Bcc fields" : NULL;
}

void submit_message(const struct inspect_request *request, const struct inspect_options *options,
                    struct inspect_reply *reply, struct arena *a)
{
	struct submission s = {.request = request, .reply = reply, .arena = a};
	struct mailbox_list from = {0}, sender = {0};
	size_t end = look_at_header(&s, request->body.bytes);
	const char *fault = fault_of_header(&s, request->body.bytes, end);

	if (fault != NULL)
		refuse(reply, fault);
	if (fault != NULL || !parse_authors(&s, &from, &sender))
		return;
	struct mailbox_list *resent = parse_resent(&s);
	size_t n = resent == NULL ? 0 : from.n + sender.n + count_resent(&s, resent);
	if (n > AUTHORS_MAX) {
		refuse(reply, "The header names too many authors");
		return;
	}
	reply->authors = resent == NULL ? NULL : arena_array(a, n, sizeof(*reply->authors));
	if (reply->authors == NULL)
		return;
	add_authors(&s, &from);
	add_authors(&s, &sender);
	for (size_t i = 0; i < s.resent_n; i++)
		add_authors(&s, &resent[i]);
	add_fields(&s, options, from.n);
}
