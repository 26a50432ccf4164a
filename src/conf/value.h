/* SPDX-License-Identifier: ISC */
/* value - the types of values in the configuration. */
#ifndef CONF_VALUE_H
#define CONF_VALUE_H

#include "conf/schema.h"

extern const struct value_type value_version, value_host, value_path, value_user, value_plus;
extern const struct value_type value_count, value_size, value_time, value_choice, value_flag;
extern const struct value_type value_domain, value_catchall, value_service, value_socket, value_include;
extern const struct value_type value_certificate, value_key, value_authorities, value_file;
extern const struct value_type value_unix_users, value_relay, value_network, value_resolver, value_retry;
extern const struct value_type value_route, value_hop, value_port, value_sender, value_route_tls, value_route_user,
	value_source, value_loopback;
extern const struct value_type value_later; /* of settings that later versions have */

extern const char *const hop_tls_names[]; /* by enum hop_tls */

/* --- for types in files of their own --- */

/* A word for a fault's text: at most what is read at a glance. */
#define WORD(token) STR_ARG(str_take((token)->text, 80))

int value_choice_index(const char *const *choices, str word); /* -1: it is none of them */
/* `what` is said in front of the word, what was probably meant behind it. */
void value_choice_fault(struct reader *r, const char *const *choices, const struct token *word, const char *what);
str value_domain_name(struct reader *r, const struct token *word,
                      str name);                                 /* folded; after a fault as it was written */
str value_file_name(struct reader *r, const struct token *word); /* an absolute path; after a fault too */

#endif
