/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the fields of a row end, and what it is about: hints with which the compressor finds an
 * earlier row that this one resembles (dataset/row_matches.h). A wrong hint costs bytes on disk,
 * but never changes a row. */
#ifndef IOTRC_ROW_MARK_H
#define IOTRC_ROW_MARK_H

#include <stdint.h>

/* Streams whose rows have marks. */
#define MARKED_STREAMS (1u << STREAM_FS)

/* The parts of a row of fs, by their last field. Each begins with the comma after the one before;
 * the first part follows the wall time. */
enum row_part {
	PART_COMMAND, /* operation to command */
	PART_FILENAME,
	PART_SIZE,
	PART_OFFSET,
	PART_BYTES,
	PART_INODE,
	PART_DEVICE,
	PART_FLAGS,
	PART_DURATION,
	PART_RETURN,
	PART_ADDRESS, /* errno to address */
	PART_FS_TYPE, /* cmdline to fs_type */
	PART_MONO,
	ROW_PARTS,
};

struct row_mark {
	uint16_t end[ROW_PARTS]; /* bytes from the row's first one */
	/* Rows with the same values are likely to have the same text. */
	uint16_t task, path; /* 0: no file */
	uint8_t operation;
};

/* A row that is longer has no mark. */
#define ROW_MARKED_MAX UINT16_MAX

#endif
