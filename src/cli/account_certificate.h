/* SPDX-License-Identifier: ISC */
/* pombo account certificate */
#ifndef CLI_ACCOUNT_CERTIFICATE_H
#define CLI_ACCOUNT_CERTIFICATE_H

#include "cli/command.h"

/* words: "certificate" "add" ADDRESS FINGERPRINT|FILE ... */
int command_account_certificate(const struct invocation *inv);

#endif
