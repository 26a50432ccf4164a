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
extern const struct value_type value_dkim, value_dmarc, value_domain_points; /* of a domain */
extern const struct value_type value_points, value_days, value_trusted, value_zone, value_zone_points, value_rule;
extern const struct value_type value_scanner, value_scanner_fail, value_scanner_timeout, value_scanner_mail;
extern const struct value_type value_oauth, value_oauth_client, value_oauth_text, value_oauth_user;

extern const char *const oauth_names[];   /* by enum oauth_kind, from OAUTH_INTROSPECT on */
extern const char *const hop_tls_names[]; /* by enum hop_tls */
extern const char *const scanner_names[]; /* by enum scanner_kind */
extern const char *const dkim_names[];    /* in the order of the bits */
extern const char *const dmarc_names[];   /* by enum dmarc_obedience */
extern const char *const scanner_fail_names[], *const scanner_mail_names[];

/* --- for types in files of their own --- */

/* A word for a fault's text: at most what is read at a glance. */
#define WORD(token) STR_ARG(str_take((token)->text, 80))

/* Where a setting lands. */
void *value_field(struct config *c, const struct setting *s);
const void *value_field_of(const struct config *c, const struct setting *s);
bool value_is_none(const struct setting *s, str word);        /* the setting's word for nothing */
int value_choice_index(const char *const *choices, str word); /* -1: it is none of them */
/* `what` is said in front of the word, what was probably meant behind it. */
void value_choice_fault(struct reader *r, const char *const *choices, const struct token *word, const char *what);
str value_domain_name(struct reader *r, const struct token *word,
                      str name); /* folded; after a fault as it was written */
/* Points, or the setting's word for never; reports a fault. */
bool value_points_word(struct reader *r, const struct setting *s, const struct token *word, int64_t *points);
void value_points_print(struct buf *out, int64_t points);
str value_file_name(struct reader *r, const struct token *word); /* an absolute path; after a fault too */

#endif
