/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_FD_PATH_H
#define IOTRC_FD_PATH_H

#include <stddef.h>

/* Linux's d_path() returns at most a page, macOS' F_GETPATH MAXPATHLEN. */
#define FD_PATH_SIZE 4096

/* Writes the absolute path of the open file FD, without symlinks. Returns 0, or a negative errno:
 * -ENAMETOOLONG if it does not fit, or is not a path. */
int fd_path__get(int fd, char ret[FD_PATH_SIZE]);

#endif
