/* SPDX-License-Identifier: GPL-2.0-only */
/* Closing a Zstandard frame that broke off. */
#ifndef IOTRC_FRAME_H
#define IOTRC_FRAME_H

#include <sys/types.h>

#define FRAME_TAIL_SIZE 7 /* bytes: an empty last block and the content checksum */

/* The first LEN bytes of FD are the header of one frame with a content checksum, and whole blocks.
 * Computes what makes it a whole frame when written at LEN. 0, -EBADMSG when those bytes don't
 * decode, or another negative errno. Reads with pread; costs a decompression of the whole. */
int frame__tail(int fd, off_t len, unsigned char ret_tail[FRAME_TAIL_SIZE]);

#endif
