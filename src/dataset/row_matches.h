/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds what rows repeat of earlier rows. A compressor of any text has to search for that; here the
 * marks of rows (dataset/row_mark.h) tell where it is: in the last row of the same thread and
 * operation, of the same file, or of the same operation with flags of the same length. Only what
 * none of these has of names and arguments is searched for words that occurred before. Every match
 * is compared byte by byte before it is used. For one frame, block by block. */
#ifndef IOTRC_ROW_MATCHES_H
#define IOTRC_ROW_MATCHES_H

#include <stddef.h>
#include <stdint.h>

#include "dataset/row_mark.h"

/* Bytes behind the block that must be readable; their content does not matter. */
#define ROW_MATCHES_SLACK 16

struct row_matches;
struct zstd_block;

/* Returns 0, or -ENOMEM. All memory is allocated here. */
int row_matches__new(struct row_matches **ret);
/* Frees M. Accepts NULL, returns NULL. */
struct row_matches *row_matches__free(struct row_matches *m);

/* Adds to BLOCK the sequences of the rows at DATA, LEN bytes, of which the first N have MARKS; an
 * end of 0 is that of a row without a mark. Matches refer to these rows and to the last 16 KiB of
 * the calls before. Returns where the bytes behind the last match begin, in [0, LEN]. */
size_t row_matches__find(struct row_matches *m, const char *data, size_t len,
			 const struct row_mark *marks, size_t n, struct zstd_block *block);

#endif
