/* SPDX-License-Identifier: ISC */
/* value - the types of values in the configuration. */
#ifndef CONF_VALUE_H
#define CONF_VALUE_H

#include "conf/schema.h"

extern const struct value_type value_version, value_host, value_path, value_user, value_plus;
extern const struct value_type value_count, value_size, value_time, value_choice, value_flag;
extern const struct value_type value_domain, value_catchall, value_service, value_socket, value_include;
extern const struct value_type value_certificate, value_key;
extern const struct value_type value_later; /* of settings that later versions have */

#endif
