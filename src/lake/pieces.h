/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Divides a stream of a session into files of a lake: each belongs to one day (UTC) and has about
 * PIECE_ROWS rows at most. */
#ifndef IOTRC_PIECES_H
#define IOTRC_PIECES_H

#include <stddef.h>
#include <stdint.h>

#include "dataset/session_reader.h"

#define PIECE_ROWS 7864320 /* 64 row groups */
#define PIECES_MAX 65536   /* of one stream of a session */

struct lake_piece {
	int64_t day;       /* since 1970, UTC */
	unsigned int n;    /* from 1, among those of the day */
	uint64_t from, to; /* mono_ns, both included */
};

/* Gets the pieces of STREAM in the order of mono_ns. They depend only on the manifest: files that
 * are added later change at most the last piece. A piece may have no rows. The caller frees *RET.
 * Returns 0, or a negative errno: -E2BIG beyond PIECES_MAX. */
int pieces__cut(const struct session_reader *r, enum stream stream, struct lake_piece **ret,
		size_t *ret_n);

#endif
