/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows of one snapshot, into one file or into numbered parts. Used by one thread. */
#ifndef IOTRC_SNAP_ROWS_H
#define IOTRC_SNAP_ROWS_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/anonymize.h"
#include "base/clock.h"
#include "dataset/csv_file.h"

/* A stream's account, read by other threads: seen = written + lost. */
struct rows_counts {
	atomic_uint_least64_t seen, written, lost_disk, bytes;
};

struct rows_config {
	enum stream stream;
	const char *stamp; /* in the names of its files */
	int session_fd;    /* borrowed */
	uid_t uid;         /* owner of what is created; -1 leaves it */
	gid_t gid;
	int level;                  /* zstd's */
	struct disk_budget *budget; /* what may be written; NULL: anything. Borrowed */
	uint64_t part_bytes;        /* compressed, after which a new part begins; 0: never */
	struct rows_counts *counts; /* borrowed, added to */
	void (*finished)(void *arg, const struct file_facts *facts);
	void *arg;
};

struct rows;

/* Nothing is created before the first row. 0, or -ENOMEM. FIRST is the number of the first part. */
int rows__new(struct rows **ret, const struct rows_config *config, unsigned int first);

/* Where the next row is to be written: room for ROWS_ROOM bytes. */
#define ROWS_ROOM (16 * 1024 * 1024)
char *rows__room(struct rows *r);

/* Takes the row that ends at END (its line feed included) and is at most CSV_FILE_BLOCK long.
 * 0, or the error for which this row and all later ones are lost. */
int rows__add(struct rows *r, char *end, uint64_t mono_ns);

/* Finishes the last file. Its name ends in WORD and the number of parts (complete_parts3) unless
 * WORD is NULL; without any row an empty file says so. 0, or the first error. */
int rows__end(struct rows *r, const char *word);

/* Files so far, the one that is being written included. */
unsigned int rows__parts(const struct rows *r);

/* What isn't finished stays as .part. Accepts NULL, returns NULL. */
struct rows *rows__free(struct rows *r);

#endif
