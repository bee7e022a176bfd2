/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Telling the service manager how things stand: sd_notify(3)'s protocol, which is one datagram of
 * `NAME=value` lines to the socket that $NOTIFY_SOCKET names. Without one all of this does
 * nothing. */
#ifndef IOTRC_NOTIFY_H
#define IOTRC_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

/* Takes $NOTIFY_SOCKET and $WATCHDOG_USEC out of the environment: they aren't for our children.
 * 0 also where there is no manager, or a negative errno. */
int notify__begin(void);
/* Whether there is a service manager to notify. */
bool notify__wanted(void);

/* The longest time allowed between two signs of life, in ns; 0: the manager expects none. */
uint64_t notify__watchdog_ns(void);

/* Sends `NAME=value` lines. 0, or a negative errno if the manager is gone or does not listen. Never
 * blocks. */
int notify__send(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
