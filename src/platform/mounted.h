/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_MOUNTED_H
#define IOTRC_MOUNTED_H

#include <stdbool.h>

/* Whether the file system that FD lies on is still mounted somewhere: an open descriptor keeps it
 * after a lazy unmount. True, too, where that can't be known. */
bool mounted__is(int fd);

#endif
