/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_SOCKET_FD_H
#define IOTRC_SOCKET_FD_H

/* Makes a socket of FAMILY and TYPE that is closed on exec and doesn't block. A descriptor, or a
 * negative errno. On macOS it is marked in a second step: a child of another thread may inherit
 * it in between. */
int socket_fd__new(int family, int type);

#endif
