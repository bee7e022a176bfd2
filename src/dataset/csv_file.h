/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes one file of a dataset, from its creation to its final name. The file is one Zstandard
 * frame. Each block contains whole rows, so that a file that breaks off decodes to whole rows. For
 * one thread at a time. */
#ifndef IOTRC_CSV_FILE_H
#define IOTRC_CSV_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "dataset/row_matches.h"
#include "schema/streams.h"

/* Maximum number of bytes that are certain to become one zstd block: blocks hold 128 KiB, and since
 * 1.5.7 zstd may split a full one. */
#define CSV_FILE_BLOCK (128 * 1024 - 64)

/* Suffix of a file that is written again after a disk error: .NAME.copy in the same directory. */
#define CSV_FILE_COPY_END ".copy"

struct file_facts {
	const char *path; /* relative to the session directory; borrowed */
	enum stream stream;
	uint64_t rows;                        /* without the header row */
	uint64_t raw_bytes;                   /* of uncompressed CSV, header row included */
	uint64_t compressed_bytes;            /* on disk */
	uint64_t first_mono_ns, last_mono_ns; /* 0 without rows */
	char sha256[65];                      /* of the compressed file, lower-case hex */
};

/* Whole rows. */
struct csv_rows {
	const char *data; /* ROW_MATCHES_SLACK more bytes are readable */
	size_t len;
	uint64_t n;
	uint64_t first_ns, last_ns;   /* the smallest and the largest mono_ns */
	const struct row_mark *marks; /* of the first N_MARKS rows; for MARKED_STREAMS */
	size_t n_marks;
};

struct csv_file_config {
	int session_fd;     /* borrowed, until the file is freed */
	enum stream stream; /* determines subdirectory and header row */
	const char *name;   /* without .csv.zst */
	int level;          /* zstd level; 0 means 1 */
	uid_t uid;          /* owner of new files; -1: unchanged */
	gid_t gid;
	struct disk_budget *budget; /* limit on what is written; NULL: none. Borrowed */
};

struct csv_file;
struct disk_budget;

/* Writes <prefix>_<stamp>_<seq4>: the name of file number SEQ (from 1) of a stream, at this
 * time. */
#define CSV_FILE_NAME_MAX 128
void csv_file__name(char buf[CSV_FILE_NAME_MAX], enum stream stream, unsigned seq);

/* Creates <subdir>/<name>.csv.zst.part and writes its header row. 0, or a negative errno; then it
 * leaves no file, and removes the subdirectory if it has created it. */
int csv_file__new(struct csv_file **ret, const struct csv_file_config *config);

/* Appends ROWS, at most CSV_FILE_BLOCK bytes, as one block. 0, or a negative errno: then the file
 * contains none of these rows and ends at its last whole block. It can still be finished, but
 * accepts no more rows (the same error again). Two errors leave the file usable: -E2BIG (too many
 * bytes), and -ENOSPC from the disk budget. */
int csv_file__append(struct csv_file *f, const struct csv_rows *rows);

/* Ends the frame, syncs the file, renames it to <name>.csv.zst (NAME NULL: the name given at
 * creation) and syncs the directory. 0, or a negative errno; then it may be called again. */
int csv_file__finish(struct csv_file *f, const char *name);

/* Syncs all blocks appended so far. May run at the same time as csv_file__append() in another
 * thread, but no other function. 0, or a negative errno; then csv_file__finish() writes the whole
 * file again, because the kernel marks a page clean even if writing it has failed. */
int csv_file__sync(struct csv_file *f);

/* Whether it can no longer be finished: somebody has removed it, or the disk has damaged it. */
bool csv_file__lost(const struct csv_file *f);

/* Facts about the file so far. path and sha256 are set when it is finished. */
const struct file_facts *csv_file__facts(const struct csv_file *f);

/* Frees F; an unfinished file keeps its name .part. Accepts NULL, returns NULL. */
struct csv_file *csv_file__free(struct csv_file *f);

/* Frees F. Removes the file if it is unfinished, and its directory if that is empty then. Accepts
 * NULL, returns NULL. */
struct csv_file *csv_file__abandon(struct csv_file *f);

#endif
