/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_FD_PATH_H
#define IOTRC_FD_PATH_H

#include <stddef.h>

/* Linux's d_path() gives no more than a page, macOS' F_GETPATH MAXPATHLEN. */
#define FD_PATH_SIZE 4096

/* Writes the absolute path of the file that FD has open, without symlinks. 0, or a negative errno:
 * -ENAMETOOLONG when it doesn't fit or is none. */
int fd_path__get(int fd, char ret[FD_PATH_SIZE]);

#endif
