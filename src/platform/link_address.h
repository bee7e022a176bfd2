/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hardware addresses of network interfaces, as getifaddrs(3) returns them. */
#ifndef IOTRC_LINK_ADDRESS_H
#define IOTRC_LINK_ADDRESS_H

#include <stdint.h>
#include <sys/socket.h>

#define LINK_ADDRESS_MAX 8 /* bytes that are kept of one */

/* The family of such addresses, as the system calls it. */
extern const char link_address_family[];

/* Fills RET with ADDRESS. Returns its length, at most LINK_ADDRESS_MAX; 0: it has none; negative:
 * ADDRESS is of another family. */
int link_address__get(const struct sockaddr *address, uint8_t ret[LINK_ADDRESS_MAX]);

#endif
