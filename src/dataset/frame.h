/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames that broke off: how far a Zstandard frame of ours is whole, and what makes it a whole
 * one. */
#ifndef IOTRC_FRAME_H
#define IOTRC_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define FRAME_HEADER_SIZE 6 /* bytes: magic number, descriptor, window: RFC 8878, 3.1.1.1 */
#define FRAME_TAIL_SIZE 7   /* bytes: an empty last block and the content checksum */

/* What follows each block of rows on the disk: an empty block (Raw_Block, RFC 8878, 3.1.1.2).
 * zstd(1) (fileio.c, FIO_decompressZstdFrame, 1.4 to 1.5.7) gives up as soon as it has read the
 * last byte of a frame that broke off, while its decoder still holds what didn't fit into the
 * output buffer, up to 128 KiB: with three more bytes to read it fetches that first. Without them
 * `zstd -dc` drops the last rows of a .part file. */
#define FRAME_EMPTY_BLOCK "\0\0\0"
#define FRAME_EMPTY_BLOCK_SIZE 3

/* Whether so much CONTENT in so many COMPRESSED bytes is a decompression bomb: the work that a file
 * makes is bounded by its size. Rows, no two of which are alike, become a hundredth at best. */
#define FRAME_BOMB "a decompression bomb: more than a thousand times its size"
static inline bool frame__is_bomb(uint64_t compressed, uint64_t content)
{
	return content > 1 << 20 && content / 1000 > compressed;
}

struct frame_end {
	off_t len; /* the first LEN bytes are whole blocks, the last of which isn't empty */
	unsigned char tail[FRAME_TAIL_SIZE]; /* makes it a whole frame when written at LEN */
	bool whole;                          /* those SIZE bytes are one whole frame already */
};

/* Reads the frame in the first SIZE bytes of FD block by block and gives the content of each, at
 * most 128 KiB, to TAKE (NULL: all will do), which refuses it with false. Ends at the first block
 * that isn't whole, doesn't decode, is refused, or makes it a bomb. 0, -EBADMSG when not even a
 * frame header of ours is there, or another negative errno. Reads with pread; costs a decompression
 * of the whole. */
int frame__find_end(int fd, off_t size, bool (*take)(void *arg, const char *content, size_t len),
		    void *arg, struct frame_end *ret);

#endif
