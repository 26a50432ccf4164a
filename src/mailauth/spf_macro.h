/* SPDX-License-Identifier: ISC */
/* spf_macro - macros in SPF records (RFC 7208 7): their syntax, and what they stand for. */
#ifndef MAILAUTH_SPF_MACRO_H
#define MAILAUTH_SPF_MACRO_H

#include "mailauth/spf_state.h"

bool spf_macro_is_valid(str text);       /* macro-string, blanks too; ASCII alone */
bool spf_macro_is_domain_spec(str text); /* its end is a macro or a top-level label; without %{c}, %{r} and %{t} */

/* Appends what `text`, which is valid, stands for. `domain` is %{d}. %{p} asks the DNS. Stops where `out` is full. */
void spf_macro_expand(struct spf_check *c, str text, str domain, struct buf *out);

#endif
