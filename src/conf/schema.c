/* SPDX-License-Identifier: ISC */
#include "conf/schema.h"

#include "conf/hop.h"
#include "conf/value.h"

#define AT(member) offsetof(struct config, member)
#define K          (UINT64_C(1) << 10)
#define M          (UINT64_C(1) << 20)
#define G          (UINT64_C(1) << 30)
#define T          (UINT64_C(1) << 40)
#define SECONDS(n) ((n) * (uint64_t)NSEC_PER_SEC)

static const char *const newlines[] = {"reject", "normalise", NULL};
static const char *const permissions[] = {"refuse", "allow", NULL};
static const char *const client_certificates[] = {"off", "ask", NULL};
static const char *const yes_no[] = {"no", "yes", NULL};
static const char *const tls_reports[] = {"off", "send", NULL};
static const char *const levels[] = {"debug", "info", "warn", "error", NULL};

const char *const service_names[] = {"smtp", "lmtp", "pop3", "pop3s", "submission", "submissions", "local", NULL};
const char *const service_names_later[] = {"imap", "imaps", "sieve", "http", "https", NULL};

#define LATER(statement, word)                                                                      \
	{                                                                                           \
		.name = (statement), .option = (word), .type = &value_later, .flags = SETTING_LATER \
	}

const struct setting schema[] = {
	{.name = "version",
         .type = &value_version,
         .fallback = NULL,
         .flags = SETTING_REQUIRED,
         .text = "Format of the file; the first statement, always version 1."},
	{.name = "hostname",
         .type = &value_host,
         .at = AT(hostname),
         .flags = SETTING_REQUIRED,
         .text = "The name of this server: in its greeting, in trace headers, and in the DNS as an address record."},
	{.name = "data",
         .type = &value_path,
         .at = AT(data),
         .fallback = "/var/lib/pombo",
         .text = "The folder that holds all state: accounts, mail, the ledger. Changed only by a restart."},
	{.name = "user",
         .type = &value_user,
         .at = AT(user),
         .fallback = "pombo",
         .text = "The user to become when started as root; nobody, with a warning, when there is no such user."},
	{.name = "domain",
         .type = &value_domain,
         .flags = SETTING_REQUIRED | SETTING_REPEATED | SETTING_LINES,
         .text = "A domain whose mail is ours; may be repeated. Names in any script are folded to their A-labels."},
	{.name = "domain",
         .option = "catchall",
         .type = &value_catchall,
         .text = "Where mail for addresses of this domain goes that nobody has; an address in one of our domains."},
	{.name = "domain",
         .option = "relay",
         .type = &value_relay,
         .choices = HOP_NAMES_STATIC,
         .text = "The server behind this one that has the mailboxes of this domain. It is asked for each recipient "
                 "before that one is "
                 "accepted; its mail is queued when it is away. Without a port: 25, 465 of smtps, 24 of lmtp."},
	LATER("domain", "dkim"),
	{.name = "listen",
         .type = &value_service,
         .flags = SETTING_REPEATED | SETTING_LINES,
         .choices = service_names,
         .text = "Where a service waits for connections; may be repeated. Without any listen statement: smtp on "
                 "0.0.0.0:25 and [::]:25, submission on 0.0.0.0:587 and [::]:587, submissions on 0.0.0.0:465 and "
                 "[::]:465, pop3 on 127.0.0.1:110 and [::1]:110, pop3s on 0.0.0.0:995 and [::]:995, and, when started "
                 "as "
                 "root, local on unix:/run/pombo/submit."},
	{.name = "listen", .type = &value_socket, .flags = SETTING_MANY},
	{.name = "limit",
         .option = "message-size",
         .type = &value_size,
         .at = AT(limits.message_size),
         .fallback = "50M",
         .min = K,
         .max = G,
         .text = "Octets of the largest message that is accepted."},
	{.name = "limit",
         .option = "recipients",
         .type = &value_count,
         .at = AT(limits.recipients),
         .fallback = "100",
         .min = 1,
         .max = 10000,
         .text = "Recipients of one message."},
	{.name = "limit",
         .option = "connections",
         .type = &value_count,
         .at = AT(limits.connections),
         .fallback = "1000",
         .min = 1,
         .max = 1000000,
         .text = "Connections to all services together."},
	{.name = "limit",
         .option = "per-address",
         .type = &value_count,
         .at = AT(limits.connections_per_address),
         .fallback = "50",
         .min = 1,
         .max = 1000000,
         .text = "Connections from one address (of IPv6: from one /64), or of one user of this machine; usually "
                 "written behind "
                 "connections."},
	{.name = "limit",
         .option = "commands",
         .type = &value_count,
         .at = AT(limits.commands),
         .fallback = "1000",
         .min = 10,
         .max = 1000000000,
         .text = "Commands of one session that do not move mail."},
	{.name = "limit",
         .option = "errors",
         .type = &value_count,
         .at = AT(limits.errors),
         .fallback = "20",
         .min = 1,
         .max = 1000000,
         .text = "Faulty or refused commands of one session."},
	{.name = "limit",
         .option = "messages",
         .type = &value_count,
         .at = AT(limits.messages),
         .fallback = "none",
         .none = "none",
         .min = 1,
         .max = 1000000000,
         .text = "Messages of one session."},
	{.name = "limit",
         .option = "messages-per-hour",
         .type = &value_count,
         .at = AT(limits.messages_per_hour),
         .fallback = "1000",
         .none = "none",
         .min = 1,
         .max = 1000000000,
         .text = "Messages that one login submits in an hour, a message to several recipients counted for each."},
	{.name = "limit",
         .option = "command-time",
         .type = &value_time,
         .at = AT(limits.command_time),
         .fallback = "5m",
         .min = SECONDS(1),
         .max = SECONDS(86400),
         .text = "How long to wait for a command, or for more of a message; RFC 5321 asks for 5 minutes at least."},
	{.name = "limit",
         .option = "session-time",
         .type = &value_time,
         .at = AT(limits.session_time),
         .fallback = "2h",
         .min = SECONDS(1),
         .max = SECONDS(30 * 86400),
         .text = "How long a session may last in all."},
	{.name = "limit",
         .option = "session-memory",
         .type = &value_size,
         .at = AT(limits.session_memory),
         .fallback = "4M",
         .min = 64 * K,
         .max = G,
         .text = "Memory of one session, beside the message it carries."},
	{.name = "limit",
         .option = "body-memory",
         .type = &value_size,
         .at = AT(limits.body_memory),
         .fallback = "512M",
         .min = M,
         .max = T,
         .text = "Memory for all messages that one edge process holds at a time, and as much for large ones that are "
                 "being sent; not less than message-size."},
	{.name = "limit",
         .option = "hops",
         .type = &value_count,
         .at = AT(limits.hops),
         .fallback = "50",
         .min = 1,
         .max = 1000,
         .text = "Received fields in a message, above which it is taken to be in a loop."},
	{.name = "plus",
         .type = &value_plus,
         .at = AT(plus),
         .fallback = "+",
         .none = "none",
         .text = "Characters that separate an account's name from a detail: with + mail for alice+lists goes to "
                 "alice."},
	{.name = "unix-users",
         .type = &value_unix_users,
         .at = AT(unix_users),
         .fallback = "none",
         .none = "none",
         .text = "A domain of ours whose accounts that have the name of a user of this machine honour that user's "
                 "~/.forward; see sendmail(8)."},
	{.name = "bare-newlines",
         .type = &value_choice,
         .at = AT(bare_newlines),
         .choices = newlines,
         .fallback = "reject",
         .text = "A CR or LF on its own in a message: refuse the message, or make it a proper line end."},
	{.name = "scram-sha-1",
         .type = &value_choice,
         .at = AT(scram_sha1),
         .choices = permissions,
         .fallback = "refuse",
         .text = "Old clients may log in with SCRAM-SHA-1; for passwords that are set from then on."},
	{.name = "scram-plus",
         .type = &value_choice,
         .at = AT(scram_plus),
         .choices = permissions,
         .fallback = "allow",
         .text = "Clients may bind their login to the TLS connection (SCRAM-SHA-256-PLUS); some take it when it is "
                 "offered and cannot do it, as mutt with TLS 1.3."},
	{.name = "submission",
         .option = "show-client",
         .type = &value_choice,
         .at = AT(show_client),
         .choices = yes_no,
         .fallback = "no",
         .text = "Whether the trace header of a submitted message tells the address that it was sent from."},
	{.name = "quota",
         .type = &value_size,
         .at = AT(quota),
         .fallback = "none",
         .none = "none",
         .min = K,
         .max = 1024 * T,
         .text = "Octets that an account may hold unless it has a quota of its own."},
	{.name = "store",
         .option = "segment",
         .type = &value_size,
         .at = AT(segment_size),
         .fallback = "256M",
         .min = M,
         .max = 4 * G,
         .text = "Size at which the store begins a new segment file."},
	{.name = "processes",
         .option = "edge",
         .type = &value_count,
         .at = AT(edges),
         .fallback = "auto",
         .none = "auto",
         .min = 1,
         .max = 64,
         .text = "Processes that talk to clients; auto is half the cores, at least one."},
	{.name = "processes",
         .option = "filter",
         .type = &value_count,
         .at = AT(filters),
         .fallback = "auto",
         .none = "auto",
         .min = 1,
         .max = 64,
         .text = "Processes that look at messages; auto is half the cores, at least one."},
	{.name = "log",
         .type = &value_choice,
         .at = AT(log_level),
         .choices = levels,
         .fallback = "info",
         .text = "The least important events that are logged."},
	{.name = "log",
         .option = "json",
         .type = &value_flag,
         .at = AT(log_json),
         .flags = SETTING_FLAG,
         .text = "Log lines are JSON objects; otherwise logfmt."},
	{.name = "include",
         .type = &value_include,
         .flags = SETTING_REPEATED,
         .text = "Reads another file in this place; a relative name begins at the folder of the file that includes "
                 "it."},
	{.name = "tls",
         .option = "certificate",
         .type = &value_certificate,
         .flags = SETTING_REPEATED | SETTING_LINES,
         .text = "A certificate in PEM, followed by those that lead to a known one; may be repeated, with a key each. "
                 "What "
                 "name the client asks for and which algorithms it knows decide which is shown, and the first is shown "
                 "to all others. When there is a file of the same name with .ocsp behind it, it is stapled. Read again "
                 "on a "
                 "reload and when the file changes. Without any: one for hostname that signed itself, made at the "
                 "first "
                 "start and kept in keys in the data folder."},
	{.name = "tls",
         .option = "key",
         .type = &value_key,
         .flags = SETTING_REPEATED,
         .text = "The certificate's private key, RSA or ECDSA, in PEM without a password."},
	{.name = "tls",
         .option = "client-certificates",
         .type = &value_choice,
         .at = AT(client_certificates),
         .choices = client_certificates,
         .fallback = "off",
         .text = "Clients of the services with a login are asked for a certificate, which they need not have; with one "
                 "of the account's (pombo account certificate) they log in by SASL EXTERNAL."},
	{.name = "tls",
         .option = "authorities",
         .type = &value_authorities,
         .at = AT(authorities),
         .none = "system",
         .text = "Certificates in PEM of the authorities that are known, for connections to other servers; system, or "
                 "nothing: those of "
                 "the system. Read again as the others are."},
	{.name = "resolver",
         .type = &value_resolver,
         .flags = SETTING_REPEATED | SETTING_LINES | SETTING_MANY,
         .text = "Name servers that are asked, instead of the servers of the root and those below it; without a port: "
                 "53. Answers are "
                 "validated all the same (DNSSEC)."},
	{.name = "trust-anchor",
         .type = &value_file,
         .at = AT(trust_anchor),
         .fallback = "built-in",
         .none = "built-in",
         .text = "DS or DNSKEY records, as in a zone file, that validation begins with; for closed networks with a "
                 "root of their own."},
	{.name = "route",
         .type = &value_route,
         .flags = SETTING_REPEATED | SETTING_LINES,
         .text = "Where mail for other domains goes next; may be repeated, the first one that fits wins, and behind "
                 "all stands route * mx. "
                 "PATTERN is a domain, all that is below one (.example.com), or * for all. mx: to the servers that the "
                 "DNS names; smtp, "
                 "smtps (TLS from the first octet on) and lmtp: to this one. Without a port: 25, 465, 24."},
	{.name = "route", .type = &value_hop, .choices = hop_names},
	{.name = "route",
         .option = "port",
         .type = &value_port,
         .text = "Of the servers that the DNS names; 25 without it."},
	{.name = "route",
         .option = "sender",
         .type = &value_sender,
         .text = "The route is for mail from this address or from this domain (of the envelope) only."},
	{.name = "route",
         .option = "tls",
         .type = &value_route_tls,
         .choices = hop_tls_names,
         .text = "auto, which is the default: what DANE and MTA-STS of the domain ask for; else TLS where it is "
                 "offered. required: no mail "
                 "without TLS. verified: nor to a server whose certificate is not for its name, by a known authority. "
                 "never: no TLS."},
	{.name = "route",
         .option = "user",
         .type = &value_route_user,
         .text = "Log in at the server with this name and the password that is the file's first line. With tls auto "
                 "the "
                 "server has to prove who it is, as with verified, or by DANE."},
	{.name = "route",
         .option = "source",
         .type = &value_source,
         .flags = SETTING_REPEATED,
         .text = "The address that connections come from; one for IPv4 and one for IPv6."},
	{.name = "route",
         .option = "loopback",
         .type = &value_loopback,
         .choices = permissions,
         .text = "refuse, which is the default: a domain whose mail server is this machine is misconfigured, its mail "
                 "fails. allow: for "
                 "tests and closed networks."},
	{.name = "relay-from",
         .type = &value_network,
         .flags = SETTING_REPEATED | SETTING_LINES | SETTING_MANY,
         .text = "Clients that may send to other servers without logging in, as networks (192.0.2.0/24, 2001:db8::/32) "
                 "or addresses; unix: "
                 "those of Unix sockets. Without any: nobody."},
	{.name = "queue",
         .option = "retry",
         .type = &value_retry,
         .flags = SETTING_MANY,
         .fallback = "5m 15m 30m 1h 2h 4h",
         .min = SECONDS(1),
         .max = SECONDS(86400),
         .text = "How long to wait after the first, the second ... attempt to send a message; the last one goes on. "
                 "Each is made up to a "
                 "tenth longer or shorter, so that not all come at once."},
	{.name = "queue",
         .option = "expire",
         .type = &value_time,
         .at = AT(queue.expire),
         .fallback = "5d",
         .min = SECONDS(1),
         .max = SECONDS(30 * 86400),
         .text = "How long after its arrival a message is given up, and its sender told."},
	{.name = "queue",
         .option = "warn",
         .type = &value_time,
         .at = AT(queue.warn),
         .fallback = "4h",
         .none = "none",
         .min = SECONDS(1),
         .max = SECONDS(30 * 86400),
         .text = "How long after its arrival the sender of a message is told that it is late; once."},
	{.name = "queue",
         .option = "per-destination",
         .type = &value_count,
         .at = AT(queue.per_destination),
         .fallback = "50",
         .min = 1,
         .max = 1000,
         .text = "Connections to one destination at a time, at most; there are fewer while it does not answer well."},
	{.name = "queue",
         .option = "connections",
         .type = &value_count,
         .at = AT(queue.connections),
         .fallback = "500",
         .min = 1,
         .max = 10000,
         .text = "Connections to other servers in all."},
	{.name = "queue",
         .option = "messages-per-connection",
         .type = &value_count,
         .at = AT(queue.per_connection),
         .fallback = "100",
         .min = 1,
         .max = 1000000,
         .text = "Messages that go over one connection to another server, at most; 1 makes a new one for each."},
	{.name = "tls-reports",
         .type = &value_choice,
         .at = AT(tls_reports),
         .choices = tls_reports,
         .fallback = "send",
         .text = "send: domains that ask for it (RFC 8460) are told once a day how TLS with their servers worked, by "
                 "mail from the postmaster of the first domain, or by HTTPS; what was counted since midnight (UTC) is "
                 "lost at a restart. off: nobody is."},
	{.name = "tls-reports",
         .option = "every",
         .type = &value_time,
         .at = AT(tls_reports_every),
         .fallback = "day",
         .none = "day",
         .min = SECONDS(1),
         .max = SECONDS(86400),
         .text = "For tests: reports are about such a time, and sent at its end. day: about a day (UTC), and sent in "
                 "the "
                 "first hours of the next one."},
	{.name = NULL},
};

const struct setting *schema_find(str name)
{
	for (const struct setting *s = schema; s->name != NULL; s++)
		if (str_equal(name, str_from(s->name)))
			return s;
	return NULL;
}

static bool same_statement(const struct setting *a, const struct setting *b)
{
	return b->name != NULL && strcmp(a->name, b->name) == 0;
}

const struct setting *schema_next(const struct setting *s)
{
	return same_statement(s, s + 1) ? s + 1 : NULL;
}

const struct setting *schema_option(const struct setting *first, str option)
{
	for (const struct setting *s = first; s != NULL; s = schema_next(s))
		if (s->option != NULL && str_equal(option, str_from(s->option)))
			return s;
	return NULL;
}

const struct setting *schema_after(const struct setting *first)
{
	const struct setting *s = first;

	while (same_statement(first, s))
		s++;
	return s->name == NULL ? NULL : s;
}
