/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Notifies the service manager with the protocol of sd_notify(3): one datagram of `NAME=value`
 * lines to the socket in $NOTIFY_SOCKET. Without that variable these functions do nothing. */
#ifndef IOTRC_NOTIFY_H
#define IOTRC_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

/* Removes $NOTIFY_SOCKET and $WATCHDOG_USEC from the environment: they are not for our children.
 * Returns 0, also if there is no manager, or a negative errno. */
int notify__begin(void);
/* Whether there is a service manager to notify. */
bool notify__wanted(void);

/* The longest time allowed between two signs of life, in ns; 0: the manager expects none. */
uint64_t notify__watchdog_ns(void);

/* Sends `NAME=value` lines. 0, or a negative errno if the manager is gone or does not listen. Never
 * blocks. */
int notify__send(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
