/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_TCP_RECEIVED_H
#define IOTRC_TCP_RECEIVED_H

#include <stdint.h>

/* Bytes that the TCP connection of FD has received, by the kernel's count; 0 where it doesn't
 * say. */
uint64_t tcp_received__get(int fd);

#endif
