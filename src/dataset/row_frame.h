/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Compresses marked rows to a Zstandard frame (RFC 8878) that any decoder reads, faster than a
 * compressor of any text: what a row repeats need not be searched for. A block refers to those
 * before it, so that they must be written in the order in which they are made. */
#ifndef IOTRC_ROW_FRAME_H
#define IOTRC_ROW_FRAME_H

#include <stddef.h>

#include "dataset/row_mark.h"
#include "dataset/row_matches.h"

struct row_frame;

/* Returns 0, or -ENOMEM. All memory is allocated here. */
int row_frame__new(struct row_frame **ret);
/* Frees F. Accepts NULL, returns NULL. */
struct row_frame *row_frame__free(struct row_frame *f);

/* The most that row_frame__block() writes for LEN bytes. */
size_t row_frame__bound(size_t len);

/* Writes DATA, at most FRAME_BLOCK_MAX bytes of whole rows of which the first N have MARKS, as one
 * block to DST, before the first one the frame's header. ROW_MATCHES_SLACK bytes behind DATA are
 * read. Returns the length. */
size_t row_frame__block(struct row_frame *f, const char *data, size_t len,
			const struct row_mark *marks, size_t n, char *dst);
/* Writes the end of the frame, FRAME_TAIL_SIZE bytes, to DST. Returns the length. */
size_t row_frame__end(struct row_frame *f, char *dst);

#endif
