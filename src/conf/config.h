/* SPDX-License-Identifier: ISC */
/* config - how the server behaves, read from one file. One schema table (schema.c) is parser, checker, defaults, the effective
 * dump and the manual's table of settings. A loaded configuration never changes; sessions hold a reference to the one they began with.
 */
#ifndef CONF_CONFIG_H
#define CONF_CONFIG_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "rt/net.h"

enum service {
	SERVICE_SMTP,
	SERVICE_LMTP,
	SERVICE_POP3,
	SERVICE_POP3S,
	SERVICE_SUBMISSION,
	SERVICE_SUBMISSIONS,
	SERVICE_LOCAL, /* submission by programs of this machine, over a Unix socket: SO_PEERCRED says who it is */
	SERVICE_COUNT
};
const char *service_name(enum service s);

struct config_listen {
	enum service service;
	str text; /* the address as written */
	struct net_address address;
};
/* Where mail goes next, and how. */
enum hop_kind { HOP_MX, HOP_SMTP, HOP_SMTPS, HOP_LMTP };
struct config_hop {
	enum hop_kind kind;
	str host;      /* of SMTP, SMTPS, LMTP: a name, or an address as net_address_host prints it */
	uint64_t port; /* 25 for MX, unless a test or a closed network wants another */
};
/* What is asked of a connection: what DANE and MTA-STS say; encryption; a certificate of that name by a known authority; never TLS. */
enum hop_tls { HOP_TLS_AUTO, HOP_TLS_REQUIRED, HOP_TLS_VERIFIED, HOP_TLS_NEVER };
/* route PATTERN mx|smtp|smtps|lmtp [HOST:PORT] [port N] [sender PATTERN] [tls auto|required|verified|never] [user NAME password-file FILE]
 * [source ADDRESS] [loopback refuse|allow]. The first that matches wins; `route * mx` stands behind all. */
struct config_route {
	str pattern; /* "*" all, ".example.com" what is below it, "example.com" */
	str sender;  /* only for mail from this address or domain (of the reverse-path), "" from all */
	struct config_hop hop;
	enum hop_tls tls;
	str user, password_file;             /* AUTH; "" without */
	struct net_address source4, source6; /* of our connections; n 0: the system's choice */
	bool loopback;                       /* an MX may be this machine: for tests and closed networks */
};
struct config_network {
	struct net_address address;
	unsigned bits;
};
/* Where mail is judged by points. Thousandths; CONFIG_POINTS_NEVER: never. */
#define CONFIG_POINTS_NEVER INT64_MAX
struct config_thresholds {
	int64_t junk, quarantine, reject; /* 5, never, 15 */
};
/* What the policy of a sender's domain (DMARC) does to mail that fails it: what it asks for; the mailbox Junk at most; nothing but points. */
enum dmarc_obedience { DMARC_OBEY, DMARC_JUNK, DMARC_IGNORE };
enum { DKIM_RSA = 1, DKIM_ED25519 = 2 };
struct config_domain {
	unsigned dkim;            /* signatures of its mail: bits; both by default, 0 none */
	enum dmarc_obedience dmarc; /* of mail for it */
	struct config_thresholds spam;
	str name;     /* lower case, A-labels */
	str catchall; /* an address, "" none */
	bool relay;   /* its mail goes on to a server of ours, which is asked for each recipient before we say yes */
	struct config_hop hop;
};
enum permission { PERMISSION_REFUSE, PERMISSION_ALLOW };
struct config_certificate { /* files in PEM, named absolutely */
	str certificate;    /* and those that lead to a known one */
	str key;
};
enum client_certificates { CLIENT_CERTIFICATES_OFF, CLIENT_CERTIFICATES_ASK };
enum yes_no { CONFIG_NO, CONFIG_YES };
enum bare_newlines { BARE_NEWLINES_REJECT, BARE_NEWLINES_NORMALISE };

struct config_limits {
	uint64_t message_size;            /* octets; 50M */
	uint64_t recipients;              /* of one message; 100 */
	uint64_t connections;             /* of all services together; 1000 */
	uint64_t connections_per_address; /* 50 */
	uint64_t commands;                /* of one session that do not move mail; 1000 */
	uint64_t errors;                  /* of one session; 20 */
	uint64_t messages;                /* of one session; 0: no limit */
	uint64_t messages_per_hour;       /* that a login submits, each recipient counted; 0: no limit; 1000 */
	nsec command_time;                /* to wait for a command or for more data; 5m */
	nsec session_time;                /* of a whole session; 2h */
	uint64_t session_memory;          /* octets beside the message; 4M */
	uint64_t body_memory;             /* octets of messages in the air, in one edge process, and in `send`; 512M */
	uint64_t hops;                    /* Received fields; 50 */
};

enum { QUEUE_RETRIES_MAX = 32 };
struct config_queue {
	nsec retry[QUEUE_RETRIES_MAX]; /* after the first, the second ... failed attempt; the last one goes on */
	size_t retries;                /* 5m 15m 30m 1h 2h 4h */
	nsec expire, warn;             /* after it was received; 5d, 4h; warn 0: never */
	uint64_t per_destination;      /* connections to one destination at a time, at most; 50 */
	uint64_t connections;          /* outward, in all; 500 */
	uint64_t per_connection;       /* messages over one connection, at most; 100 */
};

enum tls_reports { TLS_REPORTS_OFF, TLS_REPORTS_SEND };

/* A list of addresses or domains in the DNS (RFC 5782): dnsbl ZONE [points N], uribl ZONE [points N]; fewer than 0 points: a list of good ones. */
struct config_blocklist {
	str zone;
	bool domains; /* uribl: asked for domains in the message; else for the client's address */
	int64_t points; /* thousandths */
};
/* rule NAME points N: instead of the rule's own. */
struct config_rule {
	str name;
	int64_t points;
};
/* Programs beside us that look at mail: scanner rspamd|spamd|clamd|milter HOST:PORT|unix:PATH [fail open|closed] [timeout 10s] [mail in|out|all]. */
enum scanner_kind { SCANNER_RSPAMD, SCANNER_SPAMD, SCANNER_CLAMD, SCANNER_MILTER };
enum scanner_mail { SCANNER_IN = 1, SCANNER_OUT = 2 };
struct config_scanner {
	enum scanner_kind kind;
	str text; /* the address as written */
	struct net_address address;
	bool closed;   /* when it fails: 451; open: as if it had said nothing */
	nsec timeout;  /* of all it does for a message; 10s */
	unsigned mail; /* bits: from others, of our users; milter all, the others in */
};
struct config_spam {
	enum yes_no judge;     /* no: authentication alone */
	struct config_thresholds thresholds; /* of domains that have none of their own */
	int64_t greylist;      /* thousandths: from here on, up to junk, an unknown sender comes back later; 4, never: off */
	nsec greylist_delay;   /* 5m */
	enum yes_no junk_inbox; /* yes: junk goes to INBOX, with the header field that says so: for mailboxes that are read by POP3 */
	enum yes_no learn_moves; /* mail that is moved to the mailbox Junk, or out of it, is learned from */
	uint64_t history;      /* days that reputations, contacts without an answer, refusals are kept; 60 */
};

/* Who says whether a token is good (OAUTHBEARER, XOAUTH2): oauth introspect URL client ID secret-file FILE | jwks URL issuer URL audience NAME. */
enum oauth_kind { OAUTH_NONE, OAUTH_INTROSPECT, OAUTH_JWKS };
struct config_oauth {
	enum oauth_kind kind;
	str url;                 /* conf/url.h */
	str client, secret_file; /* of introspect: what we log in with */
	str issuer, audience;    /* that a token has to have; "" any, with introspect */
	str user;                /* the claim that is the account's address; "email" */
	uint64_t cache;          /* ns that a good answer of introspect counts at most; 0 not at all; 60s */
};

struct config {
	struct arena arena; /* holds everything below */
	unsigned references;
	str file; /* name for messages */
	str hostname, data, user;
	str unix_users; /* one of our domains: its accounts that are users of this machine have a .forward; "" none */
	str plus; /* separators of plus addressing, "+"; "" off */
	struct config_domain *domains;
	size_t domains_n;
	struct config_domain **domains_by_name; /* for config_domain_find */
	struct config_listen *listens;
	size_t listens_n;
	struct config_certificate *certificates;
	size_t certificates_n;
	enum client_certificates client_certificates;
	struct config_route *routes; /* never empty: the last is * mx */
	size_t routes_n;
	struct config_network *relay_from; /* clients that may send to other servers without AUTH */
	size_t relay_from_n;
	struct config_queue queue;
	enum tls_reports tls_reports;  /* to domains that ask for them (RFC 8460) */
	nsec tls_reports_every;        /* for tests; 0: by the day */
	enum yes_no authenticate;      /* SPF, DKIM, DMARC, ARC, iprev of mail from others; no: for tests */
	nsec dkim_rotate;              /* a domain's keys are this old when new ones are made; 0 never; 180d */
	str *arc_trust;                /* domains whose seals are believed */
	size_t arc_trust_n;
	enum yes_no arc_seal;          /* of mail that is handed on */
	enum yes_no suffix_list;       /* the public suffix list decides where no DMARC record says which domains belong together */
	enum tls_reports dmarc_reports; /* aggregate reports to domains that ask for them (RFC 9990) */
	nsec dmarc_reports_every;       /* for tests; 0: by the day */
	struct config_spam spam;
	struct config_blocklist *blocklists;
	size_t blocklists_n;
	struct config_rule *rules;
	size_t rules_n;
	struct config_scanner *scanners;
	size_t scanners_n;
	struct net_address *resolvers; /* to be asked instead of the root and those below it */
	size_t resolvers_n;
	str trust_anchor; /* file, "" the built-in one */
	str authorities;  /* file of the certificates that are known, "" the system's */
	struct config_limits limits;
	enum bare_newlines bare_newlines;
	enum permission scram_sha1, scram_plus;
	struct config_oauth oauth;
	enum yes_no show_client; /* the client's address in the trace header of a submission */
	uint64_t quota;          /* octets an account may hold unless it has its own; 0 none */
	uint64_t segment_size;   /* store: octets of a segment; 256M (setting `store segment`) */
	uint64_t edges, filters; /* processes; 0: as many as the cores suggest */
	enum log_level log_level;
	bool log_json;
};

/* Faults found, as lines "file:line:column: what (did you mean ...?)". */
struct config_faults {
	struct buf text;
	size_t n;
};

/* Reads and checks. NULL when there is any fault; `faults` (initialised by the caller: BUF_INIT) then says which. The caller owns
 * one reference. config_parse: `file` is the name for messages; include is refused. */
MUST_USE struct config *config_load(const char *path, struct config_faults *faults);
MUST_USE struct config *config_parse(str text, const char *file, struct config_faults *faults);
struct config *config_hold(struct config *c); /* one more reference; returns c */
void config_release(struct config *c);        /* NULL allowed */

void config_dump(const struct config *c,
                 struct buf *out);   /* every setting with its effective value; config_parse reads it */
void config_manual(struct buf *out); /* the table of settings in mdoc, for pombo.conf(5) */

const struct config_domain *config_domain_find(const struct config *c, str name); /* lower case A-label; NULL */

#endif
