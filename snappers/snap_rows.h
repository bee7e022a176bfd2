/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes the rows of one snapshot to one file or to numbered parts. For a single thread. */
#ifndef IOTRC_SNAP_ROWS_H
#define IOTRC_SNAP_ROWS_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/anonymize.h"
#include "base/clock.h"
#include "dataset/csv_file.h"

/* Counts of a stream, read by other threads: seen = written + lost. */
struct snap_rows_counts {
	atomic_uint_least64_t seen, written, lost_disk, bytes;
};

struct snap_rows_config {
	enum stream stream;
	const char *stamp; /* part of the file names */
	int session_fd;    /* borrowed */
	uid_t uid;         /* owner of new files; -1: unchanged */
	gid_t gid;
	int level;                       /* zstd's */
	struct disk_budget *budget;      /* limit on what is written; NULL: none. Borrowed */
	uint64_t part_bytes;             /* compressed size at which a new part begins; 0: never */
	struct snap_rows_counts *counts; /* borrowed, added to */
	void (*finished)(void *arg, const struct file_facts *facts);
	void *arg;
};

struct snap_rows;

/* Creates no file before the first row. FIRST is the number of the first part. 0, or -ENOMEM. */
int snap_rows__new(struct snap_rows **ret, const struct snap_rows_config *config,
		   unsigned int first);

/* Where to write the next row: SNAP_ROW_MAX bytes. */
#define SNAP_ROW_MAX (16 * 1024 * 1024)
char *snap_rows__line(struct snap_rows *r);

/* Adds the row that ends before END, with its line feed; at most CSV_FILE_BLOCK bytes. 0, or a
 * negative errno: this row and all later ones are lost. */
int snap_rows__add(struct snap_rows *r, char *end, uint64_t mono_ns);

/* Finishes the last file. Unless WORD is NULL, its name ends in WORD and the number of parts
 * (complete_parts3); without rows, it is an empty file. 0, or the first error. */
int snap_rows__end(struct snap_rows *r, const char *word);

/* Number of files so far, including the one being written. */
unsigned int snap_rows__parts(const struct snap_rows *r);

/* Frees R; an unfinished file keeps its name .part. Accepts NULL, returns NULL. */
struct snap_rows *snap_rows__free(struct snap_rows *r);

#endif
