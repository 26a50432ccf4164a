/* SPDX-License-Identifier: ISC */
/* outcome - from what was heard to what becomes of a recipient. Pure. */
#ifndef RELAY_OUTCOME_H
#define RELAY_OUTCOME_H

#include "conf/config.h"
#include "relay/connection.h"

/* When a recipient that was tried `attempts` times before is due again, microseconds: the schedule's time, up to a tenth more or less as `random` has it. */
int64_t outcome_due(const struct config_queue *q, uint64_t attempts, int64_t now, uint64_t random);

/* What the server said to one recipient; r->result is OK, E_PERM or E_TEMP. */
struct outcome outcome_heard(uint64_t rcpt, const struct smtp_send_rcpt *r, const struct relay_connection *c,
                             struct arena *a);
/* What nobody of the hosts answered for. */
struct outcome outcome_of_trouble(uint64_t rcpt, const struct trouble *t);
/* Ours. */
struct outcome outcome_failed(uint64_t rcpt, str status, str reply);

#endif
