/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_MOUNTED_H
#define IOTRC_MOUNTED_H

#include <stdbool.h>

/* Whether the file system of FD is still mounted somewhere: after a lazy unmount, an open
 * descriptor keeps it. Also true if this is unknown. */
bool mounted__is(int fd);

#endif
