-- SPDX-License-Identifier: ISC
-- All state of the store but the messages' bytes, which are in segments (bodies/). The subset of SQL that SQLite and PostgreSQL share, but
-- for WITHOUT ROWID. Times are microseconds since 1970 UTC, sizes octets, flags the bits of the enumerations in link/messages.h. An
-- empty string or 0 means none.

CREATE TABLE meta (
	key   TEXT PRIMARY KEY,   -- schema: version of this page; next_id, next_account, next_mailbox: ids not given out yet
	value INTEGER NOT NULL
) WITHOUT ROWID;

-- Whoever has a mailbox. `local` and `domain` are in the form of address_key (lower case, unquoted, A-labels).
CREATE TABLE account (
	id       INTEGER PRIMARY KEY,          -- never used again
	local    TEXT NOT NULL,
	domain   TEXT NOT NULL,
	disabled INTEGER NOT NULL DEFAULT 0,
	quota    INTEGER NOT NULL DEFAULT 0,   -- 0: the configuration's
	created  INTEGER NOT NULL,
	forwards INTEGER NOT NULL DEFAULT 0,   -- it has rows in `forward`
	UNIQUE (domain, local)
);

-- Where the mail of an account goes, as its user's .forward says (see store/forward.h). `target` is an address, as in an alias.
CREATE TABLE forward (
	account INTEGER NOT NULL,
	target  TEXT NOT NULL,
	PRIMARY KEY (account, target)
) WITHOUT ROWID;

-- What is kept of a password, in one or more forms. The row of account 0 is a secret of the store's own.
CREATE TABLE credential (
	account INTEGER NOT NULL,
	name    TEXT NOT NULL,                 -- '': the account's own password; else the name of an app password, or a fingerprint
	kind    TEXT NOT NULL,                 -- 'password' 'scram-sha-256' 'scram-sha-1' 'certificate' (sasl/credential.h), 'secret'
	secret  TEXT NOT NULL,
	created INTEGER NOT NULL,
	expires INTEGER NOT NULL DEFAULT 0,    -- 0: never
	used    INTEGER NOT NULL DEFAULT 0,    -- the last login with it; written once an hour
	PRIMARY KEY (account, name, kind)
) WITHOUT ROWID;

-- From where an account was logged into within 30 days or so, the last 16 networks: who comes from there is not kept out by what others try (sasl/guess.h).
CREATE TABLE login_network (
	account INTEGER NOT NULL,
	network TEXT NOT NULL,                 -- its octets in hexadecimal: a /24, or a /64 of IPv6
	at      INTEGER NOT NULL,              -- of a login, up to a day before the last one
	PRIMARY KEY (account, network)
) WITHOUT ROWID;

CREATE INDEX credential_certificate ON credential (secret) WHERE kind = 'certificate';

-- An address that an account may write as though it does not lead to it (RFC 6409 6.1). `local` '*': all of the domain.
CREATE TABLE identity (
	account INTEGER NOT NULL,
	domain  TEXT NOT NULL,
	local   TEXT NOT NULL,
	PRIMARY KEY (account, domain, local)
) WITHOUT ROWID;

-- An address that stands for others. `target` is an address: of an account, of another alias, or of another server.
CREATE TABLE alias (
	domain TEXT NOT NULL,
	local  TEXT NOT NULL,
	target TEXT NOT NULL,
	file   INTEGER NOT NULL DEFAULT 0,     -- 1: read from the file of aliases, and replaced when that is read again
	PRIMARY KEY (domain, local, target)
) WITHOUT ROWID;

CREATE TABLE mailbox (
	id          INTEGER PRIMARY KEY,       -- never used again
	account     INTEGER NOT NULL,
	name        TEXT NOT NULL,             -- 'INBOX', 'Junk'
	uidvalidity INTEGER NOT NULL,
	uidnext     INTEGER NOT NULL DEFAULT 1,
	modseq      INTEGER NOT NULL DEFAULT 0, -- of the last change
	messages    INTEGER NOT NULL DEFAULT 0,
	octets      INTEGER NOT NULL DEFAULT 0, -- as served
	UNIQUE (account, name)
);

-- A message that is or was ours. The row stays when the last mailbox has dropped it: the ledger refers to it.
CREATE TABLE message (
	id         INTEGER PRIMARY KEY,
	segment    INTEGER NOT NULL,           -- where the record is; 0: dropped, and its segment is gone
	offset     INTEGER NOT NULL,
	length     INTEGER NOT NULL,           -- of the whole record
	body       INTEGER NOT NULL,           -- octets of headers and body, which are the record's end
	items      INTEGER NOT NULL,           -- rows of `item` that show it, and of `queue` that send it
	received   INTEGER NOT NULL,
	sender     TEXT NOT NULL,              -- reverse-path, '' the null sender
	session    TEXT NOT NULL,
	client     TEXT NOT NULL,
	helo       TEXT NOT NULL,
	protocol   TEXT NOT NULL,
	login      TEXT NOT NULL,
	message_id TEXT NOT NULL,
	subject    TEXT NOT NULL,
	envid      TEXT NOT NULL,
	ret        INTEGER NOT NULL,           -- enum dsn_ret
	flags      INTEGER NOT NULL,           -- enum message_flag
	deliver_by INTEGER NOT NULL DEFAULT 0, -- RFC 2852
	by_mode    INTEGER NOT NULL DEFAULT 0, -- enum by_mode
	priority   INTEGER NOT NULL DEFAULT 0  -- RFC 6710, with 10 added; 0 none
);

-- A recipient on another server, until the credit is written. One that is in the hands of `send` is known in memory only.
CREATE TABLE queue (
	message     INTEGER NOT NULL,
	rcpt        INTEGER NOT NULL,          -- in the ledger
	destination TEXT NOT NULL,             -- conf/relay.h; '': a mailbox here, later (store/release.h)
	due         INTEGER NOT NULL,          -- of the next attempt; urgent ones a little earlier than they came; see queue.h for 0, 1 and 2^62
	expires     INTEGER NOT NULL,
	sender      TEXT NOT NULL,             -- the reverse-path that is said; another than the message's when it is forwarded
	state       INTEGER NOT NULL DEFAULT 0, -- enum queue_state: 0 waiting, 1 held, 2 to be failed, 3 in quarantine: held
	attempts    INTEGER NOT NULL DEFAULT 0,
	warned      INTEGER NOT NULL DEFAULT 0, -- the sender was told of the delay
	reply       TEXT NOT NULL DEFAULT '',  -- what was heard last
	lane        INTEGER NOT NULL DEFAULT 0, -- senders of a destination take turns by it (store/message.h)
	unreached   INTEGER NOT NULL DEFAULT 0, -- the last attempt did not reach the destination: due as soon as another one does
	item_flags  INTEGER NOT NULL DEFAULT 0, -- of a mailbox here: what its item gets, as in `item`
	trust       TEXT NOT NULL DEFAULT '',  -- and what its header field Pombo-Sender says
	PRIMARY KEY (message, rcpt)
) WITHOUT ROWID;
CREATE INDEX queue_due ON queue (destination, lane, due);

-- Attempts after which a recipient stayed in the queue: append-only, for the story of a message.
CREATE TABLE attempt (
	message  INTEGER NOT NULL,
	rcpt     INTEGER NOT NULL,
	at       INTEGER NOT NULL,
	status   TEXT NOT NULL,
	host     TEXT NOT NULL,
	reply    TEXT NOT NULL,
	security TEXT NOT NULL
);
CREATE INDEX attempt_message ON attempt (message);

-- MTA-STS policies of other domains (RFC 8461).
CREATE TABLE policy (
	domain  TEXT PRIMARY KEY,
	id      TEXT NOT NULL,
	text    TEXT NOT NULL,
	expires INTEGER NOT NULL,
	used    INTEGER NOT NULL DEFAULT 0     -- by the day: those that nobody needs go first
) WITHOUT ROWID;

-- A message in a mailbox.
CREATE TABLE item (
	mailbox  INTEGER NOT NULL,
	uid      INTEGER NOT NULL,
	message  INTEGER NOT NULL,
	modseq   INTEGER NOT NULL,
	flags    INTEGER NOT NULL DEFAULT 0,   -- enum item_flag
	received INTEGER NOT NULL,             -- internal date
	size     INTEGER NOT NULL,             -- octets as served: prefix and body
	prefix   TEXT NOT NULL,                -- Return-Path, Delivered-To, Pombo-Sender, served in front of the body
	PRIMARY KEY (mailbox, uid)
) WITHOUT ROWID;

-- Double entry: a recipient that was accepted is a debit (side 0), what became of it a credit (side 1). A second credit, or a second
-- debit, breaks the primary key. What has a debit, no credit and is not queued is lost.
CREATE TABLE ledger (
	message  INTEGER NOT NULL,
	rcpt     INTEGER NOT NULL,             -- counts the message's final recipients, from 0
	side     INTEGER NOT NULL,
	kind     INTEGER NOT NULL,             -- enum ledger_kind: 0 accepted, 1 mailbox, 2 relayed, 3 bounced, 4 discarded
	at       INTEGER NOT NULL,
	address  TEXT NOT NULL DEFAULT '',     -- debit: the final recipient
	original TEXT NOT NULL DEFAULT '',     -- debit: the address of RCPT when it is another
	orcpt    TEXT NOT NULL DEFAULT '',
	notify   INTEGER NOT NULL DEFAULT 0,
	mailbox  INTEGER NOT NULL DEFAULT 0,   -- credit: where it is, or was when it was expunged
	uid      INTEGER NOT NULL DEFAULT 0,
	detail   TEXT NOT NULL DEFAULT '',     -- credit: the reply, the rule, who moved it last
	status   TEXT NOT NULL DEFAULT '',     -- credit: "2.0.0"
	host     TEXT NOT NULL DEFAULT '',     -- credit: "mx.example.com[192.0.2.1]:25" that took or refused it
	security TEXT NOT NULL DEFAULT '',     -- credit: how the connection was secured
	PRIMARY KEY (message, rcpt, side)
) WITHOUT ROWID;

-- The files in bodies/. Bytes behind `size` were never committed.
CREATE TABLE segment (
	number INTEGER PRIMARY KEY,
	size   INTEGER NOT NULL,
	live   INTEGER NOT NULL                -- octets of records that are still shown somewhere
);

-- What the filter found out about a message (lines of mail/finding.h), accepted or refused.
CREATE TABLE finding (
	message INTEGER PRIMARY KEY,
	text    TEXT NOT NULL
);

-- A message that was refused: it has no row in `message`.
CREATE TABLE refusal (
	id         INTEGER PRIMARY KEY,        -- of a message, as in the log
	at         INTEGER NOT NULL,
	session    TEXT NOT NULL,
	client     TEXT NOT NULL,
	helo       TEXT NOT NULL,
	sender     TEXT NOT NULL,
	rcpts      TEXT NOT NULL,              -- separated by blanks, the first of them
	message_id TEXT NOT NULL,
	subject    TEXT NOT NULL,
	detail     TEXT NOT NULL               -- the reply: "550 5.7.1 ..."
);

-- What earlier mail shows: of domains, networks, addresses, greylisted ones. Pruned by `last`.
CREATE TABLE history (
	key   TEXT PRIMARY KEY,
	good  INTEGER NOT NULL,
	bad   INTEGER NOT NULL,
	first INTEGER NOT NULL,
	last  INTEGER NOT NULL
) WITHOUT ROWID;

-- Whom an account has mail from, and whom it wrote to. `skeleton`s: mail/skeleton.h; those who look the same stand together.
CREATE TABLE contact (
	account       INTEGER NOT NULL,
	skeleton      TEXT NOT NULL,
	address       TEXT NOT NULL,           -- in the form of address_key
	name_skeleton TEXT NOT NULL,
	received      INTEGER NOT NULL DEFAULT 0,
	sent          INTEGER NOT NULL DEFAULT 0,
	first         INTEGER NOT NULL,
	last          INTEGER NOT NULL,
	PRIMARY KEY (account, skeleton, address)
) WITHOUT ROWID;
CREATE INDEX contact_name ON contact (account, name_skeleton) WHERE sent > 0;

-- Messages to learn words from, and those that were learned: each once, by its content. Account 0: for all.
CREATE TABLE lesson (
	account INTEGER NOT NULL,
	digest  TEXT NOT NULL,                 -- of the message
	message INTEGER NOT NULL,              -- its id, 0: its words came by command
	spam    INTEGER NOT NULL,              -- what it is said to be
	learned INTEGER NOT NULL,              -- what it was learned as: 0 not yet, 1 wanted, 2 spam
	at      INTEGER NOT NULL,
	PRIMARY KEY (account, digest)
) WITHOUT ROWID;
CREATE INDEX lesson_due ON lesson (at) WHERE learned <> spam + 1;

-- How many messages that were learned have a word (its hash).
CREATE TABLE token (
	account INTEGER NOT NULL,
	hash    INTEGER NOT NULL,
	good    INTEGER NOT NULL,
	bad     INTEGER NOT NULL,
	PRIMARY KEY (account, hash)
) WITHOUT ROWID;
CREATE TABLE learned (
	account INTEGER PRIMARY KEY,
	version INTEGER NOT NULL,              -- one more with each change
	good    INTEGER NOT NULL,              -- messages
	bad     INTEGER NOT NULL
);

-- What is counted for reports to domains that say who may write as they do (mailauth/dmarc_row.h).
CREATE TABLE tally (
	domain TEXT NOT NULL,
	day    INTEGER NOT NULL,               -- its beginning
	row    TEXT NOT NULL,
	count  INTEGER NOT NULL,
	PRIMARY KEY (domain, day, row)
) WITHOUT ROWID;

-- Reports of others that came in. The same report twice is one.
CREATE TABLE report (
	kind         TEXT NOT NULL,            -- 'dmarc' 'tls' 'arf'
	domain       TEXT NOT NULL,            -- of ours, that it is about
	organization TEXT NOT NULL,
	id           TEXT NOT NULL,            -- theirs
	message      INTEGER NOT NULL,         -- that brought it
	since        INTEGER NOT NULL,
	until        INTEGER NOT NULL,
	verified     INTEGER NOT NULL,
	text         TEXT NOT NULL,            -- JSON
	PRIMARY KEY (kind, domain, organization, id)
) WITHOUT ROWID;

-- What happened in mailboxes, in order of time: append-only.
CREATE TABLE change (
	mailbox INTEGER NOT NULL,
	modseq  INTEGER NOT NULL,
	uid     INTEGER NOT NULL,
	what    INTEGER NOT NULL               -- enum change: 0 added, 1 expunged
);

INSERT INTO meta (key, value) VALUES ('schema', 6), ('next_id', 0), ('next_account', 1), ('next_mailbox', 1);
