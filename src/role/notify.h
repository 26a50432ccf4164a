/* SPDX-License-Identifier: ISC */
/* notify - tells the service manager how the server is (sd_notify(3)'s protocol: a datagram to $NOTIFY_SOCKET). */
#ifndef ROLE_NOTIFY_H
#define ROLE_NOTIFY_H

void notify_ready(void);
void notify_reloading(void);
void notify_stopping(void);

#endif
