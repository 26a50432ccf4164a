/* SPDX-License-Identifier: ISC */
/* certificates - the files of TLS as the monitor reads them. It does not look into them: keys and edges do. */
#ifndef ROLE_CERTIFICATES_H
#define ROLE_CERTIFICATES_H

#include "conf/config.h"
#include "link/messages.h"

struct certificates { /* all zero: none */
	struct certificate *items;
	size_t n;
	struct arena memory;
};

/* Those of the configuration, or the one in data/keys that signed itself, which is made when it is not there. The error names the file. */
MUST_USE err certificates_load(const struct config *config, struct certificates *out);
void certificates_free(struct certificates *c); /* wipes the private keys */
/* Another number when one of the configured files is another one or was changed. */
uint64_t certificates_stamp(const struct config *config);

#endif
