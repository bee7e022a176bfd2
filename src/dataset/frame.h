/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Zstandard frames of data files: how they begin and end. Examines one that broke off: how much
 * of it is intact, and which bytes complete it. */
#ifndef IOTRC_FRAME_H
#define IOTRC_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define FRAME_HEADER_SIZE 6 /* bytes: magic number, descriptor, window: RFC 8878, 3.1.1.1 */
#define FRAME_BLOCK_MAX (128 * 1024)
#define FRAME_TAIL_SIZE 7 /* bytes: an empty last block and the content checksum */

#define FRAME_MAGIC 0x28, 0xb5, 0x2f, 0xfd /* bytes: RFC 8878, 3.1.1 */
/* The header without its last byte, the window. It only says that a checksum follows. */
#define FRAME_HEADER_START FRAME_MAGIC, 0x04

/* An empty block (Raw_Block, RFC 8878, 3.1.1.2), which the writer appends after each block of rows.
 * Without it, `zstd -dc` drops the last rows of a .part file: zstd(1) (fileio.c,
 * FIO_decompressZstdFrame, 1.4 to 1.5.7) gives up when it has read the last byte of an incomplete
 * frame, although its decoder still holds up to 128 KiB that did not fit into the output buffer.
 * With three more bytes to read, it fetches these first. */
#define FRAME_EMPTY_BLOCK "\0\0\0"
#define FRAME_EMPTY_BLOCK_SIZE 3

/* Whether CONTENT bytes of ROWS whole lines from COMPRESSED bytes is a decompression bomb, so that
 * the work is bounded by a file's size. Rows compress to a hundredth; those with long paths of one
 * character to much less, but they differ from each other at least in their times, and they end. */
#define FRAME_BOMB "a decompression bomb: more than a thousand times its size"
#define FRAME_ROW_MIN 8             /* bytes, compressed */
#define FRAME_ROW_MAX (1024 * 1024) /* bytes, not compressed */
static inline bool frame__is_bomb(uint64_t compressed, uint64_t content, uint64_t rows)
{
	return content > 1 << 20 && content / 1000 > compressed &&
	       (rows > compressed / FRAME_ROW_MIN || content / FRAME_ROW_MAX > rows);
}

/* Writes what ends a frame whose content has CHECKSUM (its XXH64): FRAME_TAIL_SIZE bytes. */
void frame__write_tail(uint64_t checksum, unsigned char *ret);

struct frame_end {
	off_t len; /* length of the intact part, up to the last block that is not empty */
	unsigned char tail[FRAME_TAIL_SIZE]; /* bytes that complete the frame when written at LEN */
	bool whole;                          /* the SIZE bytes are a complete frame already */
};

/* Reads the frame in the first SIZE bytes of FD, block by block, and passes the content of each
 * block (at most 128 KiB) to TAKE, which returns false to reject it. TAKE may be NULL. Ends at the
 * first block that is incomplete, does not decode, is rejected, or makes the frame a decompression
 * bomb. 0; -EBADMSG without a frame header like ours; or another negative errno. Uses pread();
 * costs as much as decompressing the file. */
int frame__find_end(int fd, off_t size, bool (*take)(void *arg, const char *content, size_t len),
		    void *arg, struct frame_end *ret);

#endif
