/* SPDX-License-Identifier: ISC */
/* Addresses and networks: who may relay, who is asked for names. */
#include "conf/network.h"
#include "conf/reader.h"
#include "conf/value.h"

static void network_read(struct reader *r, const struct setting *s, const struct token *word)
{
	struct config *c = r->config;
	struct config_network network, *more;

	(void)s;
	if (network_parse(word->text, &network) != OK) {
		reader_fault(r, word, "\"" STR_FMT "\" cannot be here: %s", WORD(word), err_info()->text);
		return;
	}
	more = reader_append(r, (void **)&c->relay_from, &c->relay_from_n, sizeof(*more));
	if (more != NULL)
		*more = network;
}

static void networks_print(struct buf *out, const struct setting *s, const struct config *c)
{
	for (size_t i = 0; i < c->relay_from_n; i++) {
		buf_printf(out, "%s ", s->name);
		network_print(out, &c->relay_from[i]);
		buf_putc(out, '\n');
	}
}

static void resolver_read(struct reader *r, const struct setting *s, const struct token *word)
{
	struct config *c = r->config;
	struct net_address address, *more;

	(void)s;
	if ((network_host(word->text, 53, &address) != OK && net_address_parse(word->text, &address) != OK) ||
	    address.sa.ss_family == AF_UNIX) {
		reader_fault(r, word, "\"" STR_FMT "\" is not an address such as 192.0.2.1, 127.0.0.1:53 or [::1]:53",
		             WORD(word));
		return;
	}
	more = reader_append(r, (void **)&c->resolvers, &c->resolvers_n, sizeof(*more));
	if (more != NULL)
		*more = address;
}

static void resolvers_print(struct buf *out, const struct setting *s, const struct config *c)
{
	for (size_t i = 0; i < c->resolvers_n; i++) {
		buf_printf(out, "%s ", s->name);
		net_address_print(out, &c->resolvers[i]);
		buf_putc(out, '\n');
	}
}

const struct value_type value_network = {.grammar = "NETWORK", .read = network_read, .print = networks_print};
const struct value_type value_resolver = {.grammar = "ADDRESS", .read = resolver_read, .print = resolvers_print};
