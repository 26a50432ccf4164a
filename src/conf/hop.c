/* SPDX-License-Identifier: ISC */
#include "conf/hop.h"

#include "conf/network.h"
#include "conf/reader.h"
#include "conf/value.h"

const char *const hop_names[] = {"mx", "smtp", "smtps", "lmtp", NULL};

/* Of LMTP none is assigned (RFC 2033 5); this one is what others use. */
static const uint64_t ports[] = {[HOP_MX] = 25, [HOP_SMTP] = 25, [HOP_SMTPS] = 465, [HOP_LMTP] = 24};

/* "HOST", "HOST:PORT", "[ADDRESS]:PORT". */
static bool split(str text, uint64_t otherwise, str *host, uint64_t *port)
{
	bool bracket = str_starts(text, STR("["));
	size_t end = bracket ? str_find(text, ']') : str_find_last(text, ':');
	str rest = bracket ? str_drop(text, end + 1) : str_drop(text, end);

	*host = bracket ? str_drop(str_take(text, end), 1) : str_take(text, end);
	*port = otherwise;
	if (host->n == 0 || (bracket && end == text.n) || (bracket && str_find(*host, ':') == host->n))
		return false;
	if (rest.n == 0)
		return true;
	return str_starts(rest, STR(":")) && str_to_u64(str_drop(rest, 1), UINT16_MAX, port) && *port > 0;
}

static void host_read(struct reader *r, const struct setting *s, const struct token *word)
{
	struct config_hop *hop = r->hop;
	struct net_address address;
	BUF(text, 64);
	str host;

	(void)s;
	if (!split(word->text, ports[hop->kind], &host, &hop->port)) {
		reader_fault(r, word, "\"" STR_FMT "\" is not a server such as mail.example.org:25 or 192.0.2.1:25",
		             WORD(word));
		return;
	}
	if (network_host(host, 0, &address) != OK) {
		hop->host = value_domain_name(r, word, host);
		return;
	}
	net_address_host(&text, &address);
	hop->host = arena_str(&r->config->arena, buf_str(&text));
}

static const struct value_type value_hop_host = {.grammar = "HOST:PORT", .read = host_read};

void hop_read(struct reader *r, const struct setting *s, const struct token *word, struct config_hop *hop)
{
	int kind = value_choice_index(hop_names, word->text);

	r->hop = hop;
	*hop = (struct config_hop){.port = ports[HOP_MX]};
	if (value_choice_index(s->choices, word->text) < 0) {
		value_choice_fault(r, s->choices, word, "no such way");
		return;
	}
	hop->kind = (enum hop_kind)kind;
	hop->port = ports[kind];
	r->then = hop->kind == HOP_MX ? NULL : &value_hop_host;
}

void hop_print(struct buf *out, const struct config_hop *hop)
{
	bool bracket = str_find(hop->host, ':') < hop->host.n;

	buf_puts(out, hop_names[hop->kind]);
	if (hop->kind == HOP_MX)
		return;
	buf_printf(out, " %s" STR_FMT "%s:", bracket ? "[" : "", STR_ARG(hop->host), bracket ? "]" : "");
	buf_u64(out, hop->port);
}
