/* SPDX-License-Identifier: ISC */
/* rspamd - its HTTP interface: POST /checkv2 of the message, with the envelope in header fields; the answer is JSON. */
#include <math.h>

#include "base/encode.h"
#include "rt/http.h"
#include "rt/json.h"
#include "scan/program.h"

enum {
	ANSWER_MAX = 1 << 20,
	DEPTH_MAX = 32,
	VALUES_MAX = 100000,
	FIELDS_MAX = 8,
	RCPTS_MAX = 100,
	EVIDENCE_MAX = 300,
	WORD_MAX = 100
};

/* A value must not end its line. */
static void add(const struct program *p, str *fields, size_t *n, const char *name, str value)
{
	if (value.n > 0 && !str_has_control(value))
		fields[(*n)++] = arena_printf(p->arena, "%s: " STR_FMT, name, STR_ARG(value));
}

static void add_rcpts(const struct program *p, str *fields, size_t *n)
{
	for (size_t i = 0; i < p->message->rcpts_n && i < RCPTS_MAX; i++)
		add(p, fields, n, "Rcpt", p->message->rcpts[i].address);
}

static err post(const struct program *p, str *answer)
{
	const struct scan_message *m = p->message;
	str fields[FIELDS_MAX + RCPTS_MAX];
	BUF(host, 128);
	char id[ID_TEXT_MAX];
	size_t n = 0;

	net_address_print(&host, &p->scanner->address);
	add(p, fields, &n, "From", m->sender);
	add(p, fields, &n, "IP", m->origin->client);
	add(p, fields, &n, "Helo", m->origin->helo);
	add(p, fields, &n, "User", m->origin->login);
	add(p, fields, &n, "Queue-Id", id_text(m->id, id));
	add(p, fields, &n, "MTA-Name", p->in->config->hostname);
	add_rcpts(p, fields, &n);
	return http_fetch(&(struct http_request){.url = arena_printf(p->arena, "http://" STR_FMT "/checkv2",
	                                                             STR_ARG(buf_str(&host))),
	                                         .addresses = &p->scanner->address,
	                                         .addresses_n = 1,
	                                         .method_body = m->body.bytes,
	                                         .content_type = STR("message/rfc822"),
	                                         .headers = fields,
	                                         .headers_n = n,
	                                         .max = ANSWER_MAX,
	                                         .plain = true},
	                  answer, p->arena, p->deadline);
}

static void reject(struct program_answer *out, int reply, str status, str text)
{
	out->action = reply >= 500 ? SCAN_REJECT : SCAN_LATER;
	out->reply = reply;
	out->status = status;
	out->text = text;
}

/* greylist: the judge does that himself, with the points. */
static void act(const struct program *p, const json_t *root, struct program_answer *out)
{
	str action = json_text(root, "action", WORD_MAX, p->arena);
	str said = json_text(json_object_get(root, "messages"), "smtp_message", WORD_MAX, p->arena);

	out->result = STR("clean");
	if (str_equal(action, STR("reject")))
		reject(out, 550, STR("5.7.1"),
		       said.n > 0 ? program_words(p->arena, said, WORD_MAX) : STR("Rejected as spam"));
	else if (str_equal(action, STR("soft reject")))
		reject(out, 451, STR("4.7.1"),
		       said.n > 0 ? program_words(p->arena, said, WORD_MAX) : STR("Try again later"));
	else if (str_equal(action, STR("add header")) || str_equal(action, STR("rewrite subject")))
		out->action = SCAN_JUNK;
	if (out->action != SCAN_NOTHING)
		out->result = STR("spam");
}

/* Its rules with points, as it names them. */
static str symbols(const struct program *p, json_t *root)
{
	BUF(text, EVIDENCE_MAX + WORD_MAX);
	const char *name;
	json_t *v;

	json_object_foreach(json_object_get(root, "symbols"), name, v)
	{
		double score = json_number_value(json_object_get(v, "score"));
		if (!isfinite(score) || fabs(score) < 0.005 || text.n > EVIDENCE_MAX)
			continue;
		buf_printf(&text, "%s%.*s %.2f", text.n > 0 ? ", " : "", WORD_MAX / 2, name, score);
	}
	return text.n == 0 ? STR("no rule matched") : program_words(p->arena, buf_str(&text), EVIDENCE_MAX);
}

/* On our scale: what it would reject has the points of a refusal. */
static int64_t points_of(const struct program *p, const json_t *root)
{
	double score = json_number_value(json_object_get(root, "score"));
	double required = json_number_value(json_object_get(root, "required_score"));
	int64_t reject = p->in->config->spam.thresholds.reject;

	if (!isfinite(score) || !isfinite(required) || required <= 0 || fabs(score) > 10000)
		return 0;
	return (int64_t)llround(score / required * (double)(reject == CONFIG_POINTS_NEVER ? 15000 : reject));
}

err program_rspamd(const struct program *p, struct program_answer *out)
{
	static const struct json_limits limits = {ANSWER_MAX, DEPTH_MAX, VALUES_MAX};
	json_t *root;
	str answer;
	err e = post(p, &answer);

	if (e == OK)
		e = json_read(answer, &limits, "its answer", &root);
	if (e != OK)
		return e;
	if (!json_is_string(json_object_get(root, "action"))) {
		json_decref(root);
		return err_note(E_SYNTAX, "its answer names no action");
	}
	act(p, root, out);
	out->points = points_of(p, root);
	out->evidence = symbols(p, root);
	json_decref(root);
	return OK;
}
