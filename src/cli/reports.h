/* SPDX-License-Identifier: ISC */
/* reports - what others reported, as text: who sends in our name and fails first. */
#ifndef CLI_REPORTS_H
#define CLI_REPORTS_H

#include <stdio.h>

#include "link/messages.h"

void reports_tell(FILE *out, const struct row *rows, size_t n);
void reports_tell_json(FILE *out, const struct row *rows,
                       size_t n); /* an object a line, with the report as it was kept */

#endif
