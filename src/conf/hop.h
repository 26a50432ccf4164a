/* SPDX-License-Identifier: ISC */
/* hop - a next hop as it is written: "smtp 10.0.0.5:25", "mx". */
#ifndef CONF_HOP_H
#define CONF_HOP_H

#include "conf/config.h"
#include "conf/lexer.h"

struct reader;
struct setting;

extern const char *const hop_names[];           /* by enum hop_kind */
#define HOP_NAMES_STATIC (&hop_names[HOP_SMTP]) /* those that name a host */

/* Reads the kind, one of the setting's choices; the word behind it is read as the host of `hop`, unless it is mx. */
void hop_read(struct reader *r, const struct setting *s, const struct token *word, struct config_hop *hop);
void hop_print(struct buf *out, const struct config_hop *hop); /* as it is read; of mx the port is not there */

#endif
