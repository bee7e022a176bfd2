/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_TCP_RECEIVED_H
#define IOTRC_TCP_RECEIVED_H

#include <stdint.h>

/* Returns the bytes that the TCP connection FD has received, as counted by the kernel, or 0 if that
 * is unknown. */
uint64_t tcp_received__get(int fd);

#endif
