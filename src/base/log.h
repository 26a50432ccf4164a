/* SPDX-License-Identifier: ISC */
/* log - one event a line on standard error, logfmt or JSON:
 *
 *	LOG(INFO, "smtp.accept", LOG_STR("mid", id), LOG_NUM("size", n));
 *	t=2026-11-21T21:38:00.123Z level=info role=edge ev=smtp.accept mid=1A2B3C size=10240
 *
 * Values are escaped, so a peer cannot forge a line. Lines are gathered and written by log_flush (rt calls it each round
 * of its loop); warnings and errors are written at once. Event names are listed in docs/events.md.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/str.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

struct log_field {
	const char *name;
	enum { LOG_FIELD_STR, LOG_FIELD_NUM, LOG_FIELD_ID } kind;
	str s;
	int64_t v;
};

#define LOG_STR(name, value) ((struct log_field){(name), LOG_FIELD_STR, (value), 0})
#define LOG_Z(name, value)   LOG_STR(name, str_from(value))
#define LOG_NUM(name, value) ((struct log_field){(name), LOG_FIELD_NUM, STR_NONE, (int64_t)(value)})
#define LOG_ID(name, value)  ((struct log_field){(name), LOG_FIELD_ID, STR_NONE, (int64_t)(value)}) /* as id_text */
#define LOG(level, event, ...)                                                                                      \
	do {                                                                                                        \
		if (log_wants(LOG_LEVEL_##level))                                                                   \
			log_event(LOG_LEVEL_##level, (event), (struct log_field[]){__VA_ARGS__ __VA_OPT__(, ){0}}); \
	} while (0)

/* `role` names the process and must live on. May be called again (reload). Default: info, logfmt, role "pombo". */
void log_setup(const char *role, enum log_level level, bool json);
bool log_wants(enum log_level level);
void log_event(enum log_level level, const char *event, const struct log_field *fields); /* ends with name NULL */
void log_flush(void);
void log_to(int fd); /* standard error unless told otherwise; -1: nowhere */

#endif
