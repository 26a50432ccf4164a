/* SPDX-License-Identifier: ISC */
/* queue_back - what was put off only because its destination was not reached is due as soon as that is: by whatever mail was sent there since. */
#ifndef STORE_QUEUE_BACK_H
#define STORE_QUEUE_BACK_H

#include "store/queue_state.h"

/* For all destinations that are back. In the queue's coroutine; takes as long as there are rows. */
void queue_back(struct store *s);

#endif
