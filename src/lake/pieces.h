/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cuts a stream of a session into the files of a lake: each lies in one day (UTC) and has about
 * PIECE_ROWS rows at most. */
#ifndef IOTRC_PIECES_H
#define IOTRC_PIECES_H

#include <stddef.h>
#include <stdint.h>

#include "dataset/session_reader.h"

#define PIECE_ROWS 7864320 /* 64 row groups */
#define PIECES_MAX 65536   /* of one stream of a session */

struct piece {
	int64_t day;       /* since 1970, UTC */
	unsigned int n;    /* from 1, among those of the day */
	uint64_t from, to; /* mono_ns, both included */
};

/* The pieces of STREAM in the order of mono_ns, and which pieces there are depends on the manifest
 * alone: files that are added later change the last one at most. A piece may turn out to have no
 * rows. The caller frees *RET. 0, or a negative errno: -E2BIG beyond PIECES_MAX. */
int pieces__cut(const struct session_reader *r, enum stream stream, struct piece **ret,
		size_t *ret_n);

#endif
