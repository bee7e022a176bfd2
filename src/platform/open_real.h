/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_OPEN_REAL_H
#define IOTRC_OPEN_REAL_H

/* Opens the directory PATH for reading; none of its components may be a symlink. Returns a
 * descriptor, or a negative errno: -ELOOP for a symlink, -ENOSYS for a kernel without openat2(2)
 * (before Linux 5.6). */
int open_real__dir(const char *path);

#endif
