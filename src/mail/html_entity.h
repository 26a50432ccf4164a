/* SPDX-License-Identifier: ISC */
/* html_entity - character references of HTML, the numbered and the usual named ones. Pure. */
#ifndef MAIL_HTML_ENTITY_H
#define MAIL_HTML_ENTITY_H

#include "base/buf.h"

/* Appends `text` with its references as UTF-8; what is none stays. */
void html_entities_decode(struct buf *out, str text);

#endif
