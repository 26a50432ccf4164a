/* SPDX-License-Identifier: ISC */
/* Every record and every call between processes, declared once. The budget is 40 calls.
 *
 * A call NAME has the records NAME_request and NAME_reply. RECORDS lists all records, items before the lists that hold them;
 * CALLS lists all calls with the role that serves them. Enumerations that travel as NUM stand below the table.
 */
#ifndef LINK_MESSAGES_H
#define LINK_MESSAGES_H

#include "link/record.h"

/* Who sent a message and how it came: what a Received header and the story of a message need. */
#define FIELDS_origin(NUM, STR, LIST, BODY, FD) \
	STR(session)        /* session id, in every log line */ \
	STR(client)         /* host part of the client's address, "unix" */ \
	STR(helo)           /* as given in EHLO/HELO/LHLO, "" none */ \
	STR(protocol)       /* "SMTP" "ESMTP" "LMTP" "UTF8SMTP" ... (RFC 3848, 6531) */ \
	STR(login)          /* "" nobody; with MESSAGE_LOCAL "uid=1000", whose messages-per-hour are counted but for "uid=0" */

/* --- store: recipients --- */
#define FIELDS_rcpt_query(NUM, STR, LIST, BODY, FD) \
	STR(address)        /* local@domain without <>, as given */
#define FIELDS_rcpt_answer(NUM, STR, LIST, BODY, FD) \
	NUM(code)           /* err; OK: accepted */ \
	NUM(reply) STR(status) STR(text) /* what to tell the client when refused */ \
	NUM(inner)          /* 1: its domain is relayed to a server of ours, which has to be asked (`callout`) */
#define FIELDS_rcpt_check_request(NUM, STR, LIST, BODY, FD) \
	STR(session) NUM(account) /* who is logged in, 0 nobody: may send to other servers */ \
	STR(client)         /* host part of the client's address: so may those of relay-from */ \
	NUM(local)          /* 1: a program of this machine, as MESSAGE_LOCAL says: so may it */ \
	STR(sender)         /* an account must be allowed to write as this (store/identity.h), or all are refused */ \
	NUM(size)           /* SIZE= of MAIL, 0 unknown: for quota */ \
	LIST(rcpt_query, rcpts)
#define FIELDS_rcpt_check_reply(NUM, STR, LIST, BODY, FD) \
	NUM(id)             /* a message id that nobody else has, for this transaction */ \
	LIST(rcpt_answer, answers) /* one for each query, in order */

/* --- store: a message becomes ours. Asked by send: only reports of its own (store_accept_own) --- */
#define FIELDS_range(NUM, STR, LIST, BODY, FD) NUM(offset) NUM(length) /* octets */
#define FIELDS_rcpt(NUM, STR, LIST, BODY, FD) \
	STR(address) STR(orcpt) /* orcpt: "type;address" decoded (RFC 3461), "" none */ \
	NUM(notify)         /* bits of enum dsn_notify, 0: not given */ \
	NUM(disposition)    /* enum disposition: what the filter says of it for this one */
/* What the filter found out about a message. The store keeps it, whether the message is accepted or refused, and looks into none of its texts. */
#define FIELDS_author(NUM, STR, LIST, BODY, FD) \
	STR(address)        /* local@domain of From, in the form of address_key; when there is exactly one */ \
	STR(name)           /* its display name, decoded, one line; "" none */ \
	STR(skeleton) STR(name_skeleton) /* what looks the same has the same (mail/skeleton.h) */ \
	NUM(verified)       /* 1: its domain has authenticated the message (DMARC pass) */
#define FIELDS_note(NUM, STR, LIST, BODY, FD) \
	STR(key)            /* "domain example.org", "net 192.0.2.0/24", "grey ...": what the history is asked for */ \
	NUM(good) NUM(bad)  /* added to what is known */
#define FIELDS_report_read(NUM, STR, LIST, BODY, FD) \
	STR(kind)           /* "dmarc" "tls" "arf": an aggregate report of others that the message brought */ \
	STR(domain) STR(organization) STR(id) /* about which domain of ours, whose, and theirs */ \
	NUM(from) NUM(until) /* microseconds, 0 not known */ \
	NUM(verified)       /* 1: by DMARC from the organization's domain */ \
	STR(text)           /* JSON, one line: what `pombo reports` shows */
#define FIELDS_judgement(NUM, STR, LIST, BODY, FD) \
	STR(findings)       /* lines of mail/finding.h: every check, every rule, the decision */ \
	LIST(author, author) /* none or one */ \
	LIST(note, notes) \
	STR(dmarc_domain) STR(dmarc_row) /* counted for the report to that domain (mailauth/dmarc_row.h); "" not */ \
	LIST(report_read, reports)
#define FIELDS_accept_request(NUM, STR, LIST, BODY, FD) \
	NUM(id) LIST(origin, origin) /* exactly one */ \
	NUM(account)        /* who submits it, granted to the session; 0 nobody */ \
	STR(sender)         /* reverse-path without <>, "" the null sender */ \
	STR(envid) NUM(ret) /* RFC 3461; enum dsn_ret */ \
	NUM(flags)          /* bits of enum message_flag */ \
	NUM(hold_until)     /* microseconds since 1970, 0 none: kept back until then (RFC 4865) */ \
	NUM(deliver_by) NUM(by_mode) /* microseconds since 1970, 0 none; enum by_mode (RFC 2852) */ \
	NUM(priority)       /* RFC 6710, with 10 added: 1 to 19; 0 not given, the same as 10 */ \
	LIST(rcpt, rcpts) \
	STR(message_id)     /* of the header, "" none */ \
	STR(subject)        /* as it stands in the header, cut, "" none */ \
	STR(headers)        /* trace headers to put in front of the body, lines with CRLF */ \
	LIST(range, drop)   /* what of the body is not kept: in order, apart from each other */ \
	LIST(judgement, judgement) /* none or one */ \
	LIST(rcpt_query, authors) /* as the account must be allowed to write, beside the sender that it was asked for in rcpt_check */ \
	BODY(body)          /* as received, dots undone, CRLF */
#define FIELDS_accept_reply(NUM, STR, LIST, BODY, FD) \
	LIST(rcpt_answer, answers) /* what became of each recipient, in order (LMTP says it, SMTP uses the worst) */
/* A message that is not ours: kept is why, for `pombo explain`, and what was noted. Nothing waits for stable storage. */
#define FIELDS_refuse_request(NUM, STR, LIST, BODY, FD) \
	NUM(id) LIST(origin, origin) STR(sender) LIST(rcpt, rcpts) STR(message_id) STR(subject) \
	NUM(reply) STR(status) STR(text) /* what the client was told */ \
	LIST(judgement, judgement) /* none or one */
#define FIELDS_refuse_reply(NUM, STR, LIST, BODY, FD)

/* --- store, asked by filter: what earlier mail shows --- */
#define FIELDS_reputation(NUM, STR, LIST, BODY, FD) \
	NUM(good) NUM(bad) NUM(first) NUM(last) /* as noted; microseconds since 1970 of the first and last note, 0 never */
#define FIELDS_contact(NUM, STR, LIST, BODY, FD) \
	NUM(received)       /* messages of this author to this recipient, if he is here, that were not junk */ \
	NUM(sent)           /* messages of the recipient to the author */ \
	STR(like)           /* an address of a contact who looks the same as this author, who is none; "" */
#define FIELDS_history_request(NUM, STR, LIST, BODY, FD) \
	LIST(word, keys) LIST(author, author) LIST(rcpt_query, rcpts) /* as in RCPT */
#define FIELDS_history_reply(NUM, STR, LIST, BODY, FD) \
	LIST(reputation, known) /* one for each key, in order, up to 200 */ \
	LIST(contact, contacts) /* one for each recipient when there was an author, in order, up to 200 */ \
	NUM(account)        /* of the only recipient, if that is a mailbox here with words of its own (`model`); else 0 */
/* What was learned of words, as a table (spam/model.h). */
#define FIELDS_model_request(NUM, STR, LIST, BODY, FD) NUM(account) /* 0: of all */ NUM(version) /* that is known already, 0 none */
#define FIELDS_model_reply(NUM, STR, LIST, BODY, FD) NUM(version) BODY(table) /* empty: nothing newer */
/* A message that somebody says is spam, or is none: its words are counted. Waits until there is one. */
#define FIELDS_lesson_request(NUM, STR, LIST, BODY, FD) \
	NUM(done)           /* the lesson whose words come with this, 0 none */ \
	STR(tokens)         /* 8 octets each (spam/tokens.h), each once */ \
	NUM(wait_ms)
#define FIELDS_lesson_reply(NUM, STR, LIST, BODY, FD) NUM(lesson) /* 0: there is none */ BODY(body)

/* --- store, asked by send: what was counted for reports to other domains (RFC 9990), domain by domain --- */
#define FIELDS_tally_row(NUM, STR, LIST, BODY, FD) STR(row) NUM(count)
#define FIELDS_tally_request(NUM, STR, LIST, BODY, FD) \
	STR(done)           /* the domain whose rows before `until` were reported, and are dropped; "" none */ \
	STR(after)          /* the answer is the next domain behind this one; "" the first */ \
	NUM(until)          /* microseconds: only what was counted before, by whole days (UTC) unless tests ask for less */
#define FIELDS_tally_reply(NUM, STR, LIST, BODY, FD) \
	STR(domain)         /* "": no more */ NUM(from) /* the oldest row's time */ LIST(tally_row, rows)

/* --- store, asked by send: mail for other servers. A lease is a message with recipients that go the same way; it is the sender's until it is
 * settled, or until the sender is gone. --- */
#define FIELDS_lease_rcpt(NUM, STR, LIST, BODY, FD) \
	NUM(rcpt)           /* in the ledger */ \
	STR(address) STR(original) STR(orcpt) NUM(notify) /* original: of RCPT, "" the same */ \
	NUM(attempts)       /* so far */ \
	NUM(warned)         /* 1: its sender was told of the delay */
/* Waits until there is work. */
#define FIELDS_lease_request(NUM, STR, LIST, BODY, FD) \
	STR(destination)    /* only for this one, whose connection is still open; "" any */ \
	NUM(wait_ms)        /* how long; then the reply's lease is 0 */
#define FIELDS_lease_reply(NUM, STR, LIST, BODY, FD) \
	NUM(lease)          /* its number, 0: there is no work */ \
	NUM(why)            /* enum lease_why */ \
	STR(destination)    /* conf/relay.h */ \
	NUM(message) NUM(report) /* its id, and one for a report about it */ \
	STR(sender)         /* as it is to be said: rewritten when the message is forwarded */ \
	STR(envid) NUM(ret) NUM(flags) NUM(received) NUM(expires) \
	NUM(deliver_by) NUM(by_mode) NUM(priority) STR(login) STR(message_id) \
	STR(reason)         /* LEASE_EXPIRED, LEASE_FAIL: what was heard last */ \
	LIST(lease_rcpt, rcpts) BODY(body) /* as stored: trace headers and message */
/* What became of a recipient. */
#define FIELDS_outcome(NUM, STR, LIST, BODY, FD) \
	NUM(rcpt) NUM(result) /* enum outcome_result */ \
	NUM(due)            /* OUTCOME_LATER: microseconds since 1970 of the next attempt */ \
	STR(destination)    /* OUTCOME_MOVED: goes there now */ \
	STR(status)         /* "2.0.0" */ \
	STR(reply)          /* the server's words, or ours, one line */ \
	STR(host)           /* "mx.example.com[192.0.2.1]:25" that said it, "" ourselves */ \
	STR(security)       /* "TLSv1.3 TLS_AES_256_GCM_SHA384 dane mx.example.com", "" plaintext */ \
	NUM(warned)         /* 1: the report tells of the delay */
#define FIELDS_settle_request(NUM, STR, LIST, BODY, FD) \
	NUM(lease) LIST(outcome, outcomes) /* one for each recipient */ \
	NUM(message)        /* as the lease had it: what was done counts also when the store was started anew and knows no leases */ \
	NUM(destination_due) /* microseconds: this destination is not reached before; 0: it was reached. Without outcomes it was not tried */ \
	NUM(report)         /* id of a report that is kept with all this, to `sender` of the message; 0 none */ \
	STR(report_headers) BODY(report_body) /* the report: headers of ours, and the rest with the message quoted */
#define FIELDS_settle_reply(NUM, STR, LIST, BODY, FD)
/* What is known of a server's security: MTA-STS policies (RFC 8461), kept over restarts. `text` "": reads; else keeps. */
#define FIELDS_policy_request(NUM, STR, LIST, BODY, FD) STR(domain) STR(id) STR(text) NUM(expires)
#define FIELDS_policy_reply(NUM, STR, LIST, BODY, FD) STR(id) STR(text) NUM(expires) /* "": none is kept */

/* --- store, asked by edge: what became of a message that this login submitted. Waits until something changed. --- */
#define FIELDS_fate(NUM, STR, LIST, BODY, FD) \
	STR(address) STR(original) \
	NUM(state)          /* enum fate_state */ \
	NUM(at) NUM(due)    /* microseconds: when that was, when it is tried again */ \
	STR(status) STR(reply) STR(host) STR(security) /* as in outcome */
#define FIELDS_fate_request(NUM, STR, LIST, BODY, FD) \
	STR(session) NUM(account) NUM(message) \
	STR(login)          /* account 0: a program of this machine asks, which submitted it as this ("uid=1000"); else "" */ \
	NUM(seen) NUM(wait_ms) /* the version that is known already, 0 none; how long to wait for another */
#define FIELDS_fate_reply(NUM, STR, LIST, BODY, FD) NUM(version) NUM(final) /* 1: nothing will change any more */ LIST(fate, fates)

/* --- resolve: the DNS (RFC 1035), validated (RFC 4035) --- */
#define FIELDS_dns_record(NUM, STR, LIST, BODY, FD) STR(data) /* as on the wire, names not compressed */
#define FIELDS_resolve_request(NUM, STR, LIST, BODY, FD) STR(name) NUM(type)
#define FIELDS_resolve_reply(NUM, STR, LIST, BODY, FD) \
	NUM(rcode) NUM(security) /* enum dns_security */ NUM(ttl) /* seconds */ \
	STR(canonical)      /* the name that has the records, after CNAMEs */ \
	STR(why)            /* what is bogus */ \
	LIST(dns_record, records)

/* --- send: does an inner server of ours take mail for this address? Its answer is remembered for a while. --- */
#define FIELDS_callout_request(NUM, STR, LIST, BODY, FD) STR(address)
#define FIELDS_callout_reply(NUM, STR, LIST, BODY, FD) LIST(rcpt_answer, answers) /* exactly one */

/* --- filter: a look at the message --- */
#define FIELDS_rcpt_verdict(NUM, STR, LIST, BODY, FD) NUM(disposition)
#define FIELDS_inspect_request(NUM, STR, LIST, BODY, FD) \
	NUM(id) LIST(origin, origin) STR(sender) LIST(rcpt, rcpts) NUM(flags) \
	NUM(account)        /* who is logged in, 0 nobody */ \
	BODY(body)
#define FIELDS_inspect_reply(NUM, STR, LIST, BODY, FD) \
	NUM(code) NUM(reply) STR(status) STR(text) /* OK, or refused with this */ \
	STR(headers)        /* to prepend below Received, "" none */ \
	STR(message_id) STR(subject) \
	NUM(flags)          /* that the header asks for: MESSAGE_TLS_OPTIONAL, or none */ \
	LIST(rcpt_query, authors) /* of a submission: who it says it is from, all must be the login's */ \
	LIST(range, drop)   /* what of the body is not to be kept */ \
	LIST(judgement, judgement) /* none or one; also of a message that is refused */ \
	LIST(rcpt_verdict, verdicts) /* one for each recipient, in order; or none: to be delivered */ \
	NUM(changed)        /* bits of enum message_change: what a milter put in place of what was asked about */ \
	STR(new_sender) LIST(rcpt, new_rcpts) /* all of them; each has to be checked like any other */ \
	BODY(new_body)      /* `drop` is of this one then */

/* --- keys: who is it --- */
/* A SASL exchange (RFC 4422), a call for each thing the client says; keys knows it by (calling process, session). All but `step` and `response` stays
 * the same. It ends with AUTH_DONE, with any error, with a step of AUTH_CANCEL (answered OK), and a minute after it began. On AUTH_DONE the session may
 * use the account. Errors bring reply and status: E_DENIED 535 5.7.8, E_SYNTAX 501 5.5.2 (malformed response), E_PERM 504 5.5.4 (no such mechanism for this
 * client), E_BUSY 454 4.7.0 (too many failures, or too many logins at once), E_TEMP 454 4.7.0. sasl/exchange.h is the caller's half. */
#define FIELDS_auth_binding(NUM, STR, LIST, BODY, FD) STR(name) STR(data) /* channel binding: "tls-exporter" ... */
#define FIELDS_auth_request(NUM, STR, LIST, BODY, FD) \
	STR(session) STR(client) STR(service) /* "pop3" ... */ \
	STR(mechanism)      /* "PLAIN" "SCRAM-SHA-256-PLUS" ..., in any case */ \
	NUM(step)           /* AUTH_BEGIN, AUTH_NEXT, AUTH_CANCEL */ \
	STR(response) NUM(has_response) /* decoded; 0 at AUTH_BEGIN: there was no initial response */ \
	NUM(tls) LIST(auth_binding, bindings) /* what the TLS connection can prove, none without it */ \
	STR(certificate)    /* fingerprint of the one that the client has shown (rt/tls.h), "" none */
#define FIELDS_auth_reply(NUM, STR, LIST, BODY, FD) \
	NUM(state)          /* AUTH_CONTINUE: send the challenge, call again with what the client answers */ \
	STR(challenge)      /* not encoded, may be empty */ \
	NUM(account) STR(address) /* AUTH_DONE */

/* --- oauth, asked by keys: is a bearer token good (RFC 6750), and whose is it? E_TEMP: whoever knows cannot be asked at present. --- */
#define FIELDS_token_request(NUM, STR, LIST, BODY, FD) STR(token)
#define FIELDS_token_reply(NUM, STR, LIST, BODY, FD) \
	NUM(valid)          /* 1 */ \
	STR(user)           /* the address that the token is for */ \
	STR(why)            /* it is not valid: for the log */

/* --- keys --- */
/* What a private key does for a handshake: kinds and input of rt/tls.h; asked by filter and send: the key of a domain (RFC 6376), kind
 * SIGN_DIGEST, input a SHA-256. E_NOT_FOUND: no such key; E_DENIED: it does not sign that. */
#define FIELDS_sign_request(NUM, STR, LIST, BODY, FD) NUM(key) NUM(kind) STR(input)
#define FIELDS_sign_reply(NUM, STR, LIST, BODY, FD) STR(signature)

/* --- store, asked by keys --- */
#define FIELDS_credential(NUM, STR, LIST, BODY, FD) \
	STR(name)           /* "": the password of the account; else an app password's */ \
	STR(kind) STR(hash) /* sasl/credential.h */ \
	NUM(used)           /* microseconds since 1970, 0 never; about an hour late */
#define FIELDS_login_network(NUM, STR, LIST, BODY, FD) \
	STR(network) NUM(at) /* sasl/known.h; microseconds since 1970 of a login from there, up to a day late */
#define FIELDS_credential_request(NUM, STR, LIST, BODY, FD) \
	STR(user)           /* as given; "": whose the certificate is, if it is one account's alone */ \
	STR(certificate)    /* fingerprint */
#define FIELDS_credential_reply(NUM, STR, LIST, BODY, FD) \
	NUM(account) STR(address) NUM(disabled) /* account 0: there is none, or no such address */ \
	STR(secret)         /* of this store, for salts of accounts that do not exist */ \
	LIST(credential, credentials) /* that are valid now */ \
	LIST(login_network, networks) /* from which the account was logged into of late */
#define FIELDS_grant_request(NUM, STR, LIST, BODY, FD) \
	STR(edge) STR(session) NUM(account) /* this session of that process may use this account from now on */ \
	STR(credential) NUM(note_use) /* by which credential; 1: it is time to write that down */ \
	STR(hash)           /* of the credential, E_DENIED unless it is valid now; "": none is asked for, the account must be enabled */ \
	STR(network)        /* it is time to write down that there was a login from there; "" not */
#define FIELDS_grant_reply(NUM, STR, LIST, BODY, FD)

/* --- store: a mailbox for a session that was granted --- */
#define FIELDS_mailbox_entry(NUM, STR, LIST, BODY, FD) NUM(uid) NUM(size) /* size: octets as served, with Return-Path ... */
#define FIELDS_mailbox_open_request(NUM, STR, LIST, BODY, FD) \
	STR(session) NUM(account) STR(mailbox) /* "INBOX" */ \
	NUM(exclusive)      /* 1: POP3's lock; E_BUSY when another session holds it */
#define FIELDS_mailbox_open_reply(NUM, STR, LIST, BODY, FD) \
	NUM(mailbox) NUM(uidvalidity) LIST(mailbox_entry, entries) /* by uid, ascending */
#define FIELDS_mailbox_read_request(NUM, STR, LIST, BODY, FD) \
	STR(session) NUM(mailbox) NUM(uid) NUM(offset) NUM(length) /* length at most BODY_INLINE_MAX */
#define FIELDS_mailbox_read_reply(NUM, STR, LIST, BODY, FD) \
	STR(bytes) NUM(size) /* bytes: shorter than length only at the message's end; size: of the whole message */
#define FIELDS_uid(NUM, STR, LIST, BODY, FD) NUM(uid)
#define FIELDS_mailbox_expunge_request(NUM, STR, LIST, BODY, FD) STR(session) NUM(mailbox) LIST(uid, uids)
#define FIELDS_mailbox_expunge_reply(NUM, STR, LIST, BODY, FD)
#define FIELDS_session_end_request(NUM, STR, LIST, BODY, FD) STR(session) /* drops its grants and locks */
#define FIELDS_session_end_reply(NUM, STR, LIST, BODY, FD)

/* --- store: administration (the command line, over the control socket) --- */
#define FIELDS_word(NUM, STR, LIST, BODY, FD) STR(text)
#define FIELDS_cell(NUM, STR, LIST, BODY, FD) STR(name) STR(text) NUM(number) NUM(is_number)
#define FIELDS_row(NUM, STR, LIST, BODY, FD) LIST(cell, cells)
#define FIELDS_admin_request(NUM, STR, LIST, BODY, FD) \
	LIST(word, words)   /* "account" "add" "alice@example.org" ...; what `pombo help` documents */ \
	STR(secret)         /* a password hash, never logged */ \
	STR(resume)         /* "" first; else the last reply's `more` */
#define FIELDS_admin_reply(NUM, STR, LIST, BODY, FD) \
	LIST(row, rows) STR(more) /* more: "" when this was the last page */

/* --- every role, called by the monitor --- */
#define FIELDS_configure_request(NUM, STR, LIST, BODY, FD) STR(text) NUM(first) /* the effective configuration */
#define FIELDS_configure_reply(NUM, STR, LIST, BODY, FD) STR(missing) /* confinement that was not granted, for the log */
#define FIELDS_attach_request(NUM, STR, LIST, BODY, FD) \
	STR(role) NUM(index) FD(stream) FD(descriptors) /* a link to a sibling; replaces the one to the same role and index */
#define FIELDS_attach_reply(NUM, STR, LIST, BODY, FD)
#define FIELDS_listen_request(NUM, STR, LIST, BODY, FD) \
	STR(service) STR(address) FD(socket) /* "smtp" "lmtp" "pop3" "submission" ... "control" */
#define FIELDS_listen_reply(NUM, STR, LIST, BODY, FD)
/* What TLS is done with from now on. E_SYNTAX: one of them cannot be used, everything stays as it was. */
#define FIELDS_certificate(NUM, STR, LIST, BODY, FD) \
	STR(chain) STR(ocsp) /* PEM, leaf first; DER, "" none */ \
	NUM(key)            /* its number, for `sign` */ \
	STR(secret)         /* the private key in PEM: for keys, "" for others */
#define FIELDS_named_file(NUM, STR, LIST, BODY, FD) STR(name) STR(text) /* a file that the configuration names, or one of the system */
#define FIELDS_domain_key(NUM, STR, LIST, BODY, FD) \
	STR(domain) STR(selector) STR(algorithm) /* of ours; "rsa" "ed25519" */ \
	NUM(key)            /* its number, for `sign` */ \
	NUM(created)        /* microseconds since 1970 */ \
	STR(record)         /* what the DNS has to say at SELECTOR._domainkey.DOMAIN */ \
	STR(secret)         /* the private key in PEM: for keys, "" for others */
#define FIELDS_certify_request(NUM, STR, LIST, BODY, FD) \
	LIST(domain_key, domain_keys) /* for keys, filter and send */ \
	LIST(certificate, certificates) \
	LIST(named_file, files)   /* for send: "authorities" (PEM), passwords of routes by their path; for oauth: "authorities", "client-secret"; for resolve: "trust-anchor" */ \
	NUM(part) NUM(from)       /* enum certify_part; how many domain_keys were in the parts before this one */
#define FIELDS_certify_reply(NUM, STR, LIST, BODY, FD)
#define FIELDS_shutdown_request(NUM, STR, LIST, BODY, FD) NUM(grace_ms) /* refuse new work, finish what is in the air */
#define FIELDS_shutdown_reply(NUM, STR, LIST, BODY, FD)
#define FIELDS_security_request(NUM, STR, LIST, BODY, FD)
#define FIELDS_security_reply(NUM, STR, LIST, BODY, FD) LIST(row, rows)

/* --- the monitor, called by every role: its link to a sibling broke, and both may live. They get another one. E_TEMP: one of them does not live. --- */
#define FIELDS_relink_request(NUM, STR, LIST, BODY, FD) STR(sibling) /* "store-0" */
#define FIELDS_relink_reply(NUM, STR, LIST, BODY, FD)
/* --- monitor, called by filter, whose root is empty: a connection to a program beside us with a Unix socket. E_DENIED: no `scanner` has this one. --- */
#define FIELDS_dial_request(NUM, STR, LIST, BODY, FD) STR(address) /* as it is configured */
#define FIELDS_dial_reply(NUM, STR, LIST, BODY, FD) FD(socket)

#define RECORDS(R) \
	R(range) R(author) R(note) R(report_read) R(judgement) R(rcpt_verdict) R(reputation) R(contact) R(tally_row) R(domain_key) \
	R(origin) R(rcpt_query) R(rcpt_answer) R(rcpt) R(auth_binding) R(credential) R(login_network) R(mailbox_entry) R(uid) R(word) R(cell) R(row) \
	R(certificate) R(named_file) R(lease_rcpt) R(outcome) R(fate) R(dns_record)

/* call, served by */
#define CALLS(C) \
	C(rcpt_check, "store") \
	C(accept, "store") \
	C(refuse, "store") \
	C(history, "store") \
	C(model, "store") \
	C(lesson, "store") \
	C(tally, "store") \
	C(credential, "store") \
	C(grant, "store") \
	C(mailbox_open, "store") \
	C(mailbox_read, "store") \
	C(mailbox_expunge, "store") \
	C(session_end, "store") \
	C(lease, "store") \
	C(settle, "store") \
	C(policy, "store") \
	C(fate, "store") \
	C(resolve, "resolve") \
	C(callout, "send") \
	C(admin, "store") \
	C(inspect, "filter") \
	C(auth, "keys") \
	C(sign, "keys") \
	C(token, "oauth") \
	C(configure, "all") \
	C(certify, "all") \
	C(attach, "all") \
	C(listen, "all") \
	C(shutdown, "all") \
	C(security, "all") \
	C(relink, "monitor") \
	C(dial, "monitor")

/* Very many domain_keys do not fit into one call: they come in parts, used when the last one is there, which is CERTIFY_ALL. CERTIFY_PART and CERTIFY_MORE have
 * nothing but domain_keys. */
enum certify_part {
	CERTIFY_ALL,  /* this, and the parts before it, instead of everything that there was */
	CERTIFY_PART, /* another one follows */
	CERTIFY_MORE, /* beside those that are there, or instead of one with the same number */
};
enum auth_step { AUTH_BEGIN, AUTH_NEXT, AUTH_CANCEL };
enum auth_state { AUTH_CONTINUE, AUTH_DONE };
enum dsn_notify { DSN_NEVER = 1, DSN_SUCCESS = 2, DSN_FAILURE = 4, DSN_DELAY = 8 };
enum dsn_ret { DSN_RET_NONE, DSN_RET_FULL, DSN_RET_HDRS };
/* MESSAGE_ALL_OR_NONE: the client gets one reply for all recipients (SMTP), so one that is refused by `accept` refuses all: nothing is kept,
 * the answers say who could not be served. Without it (LMTP) each recipient stands for itself. MESSAGE_SUBMISSION: from somebody who is logged in. */
/* MESSAGE_REQUIRE_TLS: RFC 8689. MESSAGE_LOCAL: from a program of this machine, over a Unix socket. */
enum message_flag {
	MESSAGE_8BIT = 1,
	MESSAGE_UTF8 = 2,
	MESSAGE_BINARY = 4,
	MESSAGE_ALL_OR_NONE = 8,
	MESSAGE_SUBMISSION = 16,
	MESSAGE_REQUIRE_TLS = 32,
	MESSAGE_TLS_OPTIONAL = 64, /* a header field TLS-Required: No (RFC 8689 5) */
	MESSAGE_LOCAL = 128
};
/* What becomes of a message for a recipient. JUNK: the mailbox of that name; to another server with a header field that says so. QUARANTINE: held until
 * somebody releases it. */
enum disposition { DISPOSITION_DELIVER, DISPOSITION_JUNK, DISPOSITION_QUARANTINE, DISPOSITION_DISCARD };
/* What `sign` is asked for beside the kinds of rt/tls.h. */
enum sign_kind { SIGN_DIGEST = 16 };
/* Flags of a message in a mailbox. The low 8 bits are kept for those of RFC 9051 2.3.2; these become keywords: what is known of its author. VERIFIED: the
 * domain has authenticated it (DMARC); LOOK_ALIKE: of somebody who is known, but it is another one; REPLIED_BEFORE: the owner has written to him. */
enum item_flag {
	ITEM_VERIFIED = 1 << 8,
	ITEM_FIRST_CONTACT = 1 << 9,
	ITEM_LOOK_ALIKE = 1 << 10,
	ITEM_REPLIED_BEFORE = 1 << 11
};
enum message_change { CHANGED_BODY = 1, CHANGED_SENDER = 2, CHANGED_RCPTS = 4 };
enum by_mode { BY_NONE, BY_NOTIFY, BY_RETURN };
/* To be tried; or its time is over, or it must be failed for the administrator: no attempt, a report. */
enum lease_why { LEASE_ATTEMPT, LEASE_EXPIRED, LEASE_FAIL };
enum outcome_result { OUTCOME_RELAYED, OUTCOME_FAILED, OUTCOME_LATER, OUTCOME_MOVED };
enum fate_state { FATE_QUEUED, FATE_MAILBOX, FATE_RELAYED, FATE_DELAYED, FATE_FAILED, FATE_DISCARDED, FATE_HELD };
enum dns_security { DNS_INSECURE, DNS_SECURE, DNS_BOGUS };

/* --- what comes from the table --- */
#define RECORD_C_NUM(name)        uint64_t name;
#define RECORD_C_STR(name)        str name;
#define RECORD_C_LIST(type, name) struct type *name; size_t name##_n;
#define RECORD_C_BODY(name)       struct body name;
#define RECORD_C_FD(name)         int name;
#define RECORD_C(r) \
	struct r { \
		FIELDS_##r(RECORD_C_NUM, RECORD_C_STR, RECORD_C_LIST, RECORD_C_BODY, RECORD_C_FD) \
	}; \
	extern const struct record record_##r;
#define RECORD_C_CALL(c, role) RECORD_C(c##_request) RECORD_C(c##_reply)
RECORDS(RECORD_C)
CALLS(RECORD_C_CALL)

enum call {
#define CALL_ENUM(c, role) CALL_##c,
	CALLS(CALL_ENUM)
#undef CALL_ENUM
	CALL_COUNT
};
struct call_type {
	const char *name, *role;
	const struct record *request, *reply;
};
extern const struct call_type call_types[CALL_COUNT];
/* Passwords, what is kept of them, or private keys are in it: frames and memory of the call are overwritten when it is over. */
bool call_is_secret(enum call type);

#endif
