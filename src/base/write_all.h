/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_WRITE_ALL_H
#define IOTRC_WRITE_ALL_H

#include <stddef.h>
#include <sys/types.h>

/* Writes LEN bytes of DATA at offset AT of the file FD, with as many calls as necessary. Returns 0,
 * or a negative errno; any part may then have been written. */
int write_all(int fd, const void *data, size_t len, off_t at);

#endif
