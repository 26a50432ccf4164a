/* SPDX-License-Identifier: ISC */
#include "cli/submit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/discover.h"
#include "cli/password_read.h"
#include "rt/file.h"
#include "rt/tls_client.h"
#include "sasl/password.h"

#define CONNECT_TIME (30 * NSEC_PER_SEC)
#define TLS_TIME     (60 * NSEC_PER_SEC)

enum { READ_BUFFER = 64 << 10, AUTHORITIES_MAX = 4 << 20, RCPTS_AT_ONCE = 100 };

/* --- the password --- */

static err password_of_command(const char *command, struct buf *out)
{
	FILE *f = popen(command, "re");
	int c;

	if (f == NULL)
		return err_note(E_IO, "%s: %s", command, strerror(errno));
	while ((c = getc(f)) != EOF && c != '\n')
		buf_putc(out, (char)c);
	while (c != EOF)
		c = getc(f);
	if (pclose(f) != 0)
		return err_note(E_DENIED, "the password command failed: %s", command);
	if (out->n > 0 && out->p[out->n - 1] == '\r')
		out->n--;
	return out->n == 0 || out->full ? err_note(E_DENIED, "the password command said no password: %s", command) : OK;
}

static err log_in(struct submit *s, const struct submit_server *how)
{
	BUF(password, PASSWORD_MAX);
	char question[300];

	snprintf(question, sizeof(question), "Password of %.200s: ", how->user);
	err e = how->password_command != NULL ? password_of_command(how->password_command, &password)
	                                      : password_ask(question, &password);
	if (e == OK)
		e = smtp_client_auth(s->client, str_from(how->user), buf_str(&password), how->tls == SUBMIT_TLS_NONE);
	if (password.p != NULL)
		explicit_bzero(password.p, password.size);
	return e;
}

/* --- the connection --- */

static err load_authorities(struct submit *s, const char *file)
{
	BUF(pem, AUTHORITIES_MAX);

	if (file != NULL) {
		err e = file_read_whole(file, &pem);
		if (e != OK)
			return e;
	}
	return tls_client_new(buf_str(&pem), &s->tls);
}

static enum submit_tls tls_of(const struct discovered *d, enum submit_tls wanted)
{
	if (wanted != SUBMIT_TLS_AUTO)
		return wanted;
	if (d->local)
		return SUBMIT_TLS_NONE;
	if (d->tls != SUBMIT_TLS_AUTO)
		return d->tls;
	return d->port == 25 || d->port == 587 ? SUBMIT_TLS_STARTTLS : SUBMIT_TLS_IMPLICIT;
}

static struct tls_peer peer_of(const struct discovered *d)
{
	return (struct tls_peer){.server_name = d->host, .check = TLS_CHECK_NAME, .names = &d->host, .names_n = 1};
}

/* One address after the other. */
static err dial(const struct discovered *d, struct stream **out)
{
	err e = err_note(E_NOT_FOUND, STR_FMT " has no address", STR_ARG(d->host));
	int fd;

	for (size_t i = 0; i < d->addresses_n; i++) {
		e = net_connect(&d->addresses[i], NULL, &fd, rt_after(CONNECT_TIME));
		if (e != OK)
			continue;
		*out = stream_open_fd(fd, READ_BUFFER);
		return *out == NULL ? err_note(E_MEMORY, "no memory for a connection") : OK;
	}
	return e;
}

static err open_client(struct submit *s, const struct submit_server *how, const struct discovered *d,
                       struct stream *stream)
{
	char hello[256] = "";

	(void)!gethostname(hello, sizeof(hello) - 1);
	struct smtp_client_options o = {.hello = hello[0] == '\0' ? STR("localhost") : str_from(hello),
	                                .local = d->local,
	                                .session = STR("send"),
	                                .greeting_time = how->timeout,
	                                .command_time = how->timeout,
	                                .data_time = how->timeout,
	                                .end_time = how->timeout};
	enum submit_tls tls = tls_of(d, how->tls);
	struct tls_peer peer = peer_of(d);

	if (tls == SUBMIT_TLS_IMPLICIT) {
		err e = stream_start_tls_client(stream, s->tls, &peer, rt_after(TLS_TIME), &s->proof);
		if (e != OK) {
			stream_close(stream);
			return e;
		}
	}
	s->client = smtp_client_new(stream, &o);
	if (s->client == NULL)
		return err_note(E_MEMORY, "no memory for a connection");
	err e = smtp_client_greet(s->client);
	if (e == OK && tls == SUBMIT_TLS_STARTTLS)
		e = smtp_client_starttls(s->client, s->tls, &peer, &s->proof);
	return e;
}

/* To one server, up to where one would log in. */
static err reach(struct submit *s, const struct submit_server *how, struct discovered *d)
{
	struct stream *stream = NULL;
	err e = discover_addresses(d, &s->arena);

	s->server = e == OK ? d->name : STR_NONE;
	if (e == OK)
		e = dial(d, &stream);
	return e == OK ? open_client(s, how, d, stream) : e;
}

/* RFC 2782: who cannot be reached, or is no mail server that can be used, makes place for the next. A certificate that is wrong does not: somebody should look at it. */
static bool makes_place(err e)
{
	return e != OK && e != E_DENIED && e != E_MEMORY && e != E_CANCELLED;
}

static err reach_any(struct submit *s, const struct submit_server *how, struct discovered *servers, size_t n)
{
	err e = reach(s, how, &servers[0]);

	for (size_t i = 1; i < n && makes_place(e); i++) {
		smtp_client_free(s->client);
		s->client = NULL;
		e = reach(s, how, &servers[i]);
	}
	return e;
}

err submit_connect(const struct submit_server *how, str address, struct submit *s)
{
	struct discovered *servers;
	size_t n;

	*s = (struct submit){.arena = ARENA_INIT(1 << 20)};
	err e = discover(how, address, &s->arena, &servers, &n);
	if (e != OK)
		return e;
	s->server = servers[0].name;
	e = load_authorities(s, how->authorities);
	if (e == OK)
		e = reach_any(s, how, servers, n);
	if (e == OK && how->user != NULL)
		e = log_in(s, how);
	return e;
}

void submit_close(struct submit *s)
{
	if (s->client != NULL)
		smtp_client_quit(s->client);
	tls_client_free(s->tls);
	arena_free(&s->arena);
}

/* --- a message to many --- */

static void give_up(struct smtp_send *rest)
{
	for (size_t i = 0; i < rest->rcpts_n; i++) {
		rest->rcpts[i].result = E_TEMP;
		rest->rcpts[i].status = STR("4.4.2");
		rest->rcpts[i].reply = STR("not handed over, the connection was over before");
	}
}

bool submit_next(const struct submit *s, const struct smtp_send *message, struct submit_part *part)
{
	part->from += part->send.rcpts_n;
	bool usable = part->from == 0 || smtp_client_usable(s->client);

	part->send = *message;
	part->send.rcpts_n -= part->from;
	if (part->send.rcpts_n == 0)
		return false;
	part->send.rcpts = &message->rcpts[part->from];
	if (!usable)
		give_up(&part->send);
	else if (part->send.rcpts_n > RCPTS_AT_ONCE)
		part->send.rcpts_n = RCPTS_AT_ONCE;
	return usable;
}

static bool is_anybody_taken(const struct smtp_send *m)
{
	for (size_t i = 0; i < m->rcpts_n; i++)
		if (m->rcpts[i].result == OK)
			return true;
	return false;
}

err submit_part(struct submit *s, struct submit_part *part, struct arena *a, bool *in_doubt)
{
	err e = smtp_client_send(s->client, &part->send, a, in_doubt);

	if (e != OK || !is_anybody_taken(&part->send))
		return e;
	while (part->send.rcpts[part->send.rcpts_n - 1].code == 452)
		part->send.rcpts_n--;
	return OK;
}

/* --- what the server says --- */

str submit_id(const struct submit *s)
{
	static const str mark = STR("queued as ");
	str text = buf_str(&smtp_client_reply(s->client)->text);

	while (text.n > 0 && !str_starts(text, mark))
		text = str_drop(text, 1);
	str rest = str_drop(text, mark.n);
	return str_word(&rest);
}

int submit_status(err e, int code, str status)
{
	if (e == OK)
		return EX_OK;
	if (code == 0 || code >= 600)
		return command_status(e);
	if (code < 500)
		return EX_TEMPFAIL;
	if (code == 535 || code == 530 || str_ends(status, STR("7.8")))
		return EX_NOPERM;
	if (str_starts(status, STR("5.1.1")) || str_starts(status, STR("5.1.3")))
		return EX_NOUSER;
	if (str_starts(status, STR("5.1.2")))
		return EX_NOHOST;
	if (str_starts(status, STR("5.7.")))
		return EX_NOPERM;
	return str_starts(status, STR("5.6.")) ? EX_DATAERR : EX_UNAVAILABLE;
}
