/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_SOCKET_FD_H
#define IOTRC_SOCKET_FD_H

/* Creates a non-blocking socket of FAMILY and TYPE that is closed on exec. Returns a descriptor, or
 * a negative errno. macOS sets these flags in a second step, so a child of another thread may
 * inherit it in between. */
int socket_fd__new(int family, int type);

/* A pair of connected sockets (AF_UNIX, SOCK_STREAM), closed by exec. Returns 0, or a negative
 * errno. */
int socket_fd__pair(int ret[2]);

#endif
