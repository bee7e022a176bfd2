/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One file of a dataset, from its creation to its final name: one Zstandard frame whose every block
 * holds whole rows, so that whatever ends it early, what lies on the disk decodes to whole rows.
 * Used by one thread at a time. */
#ifndef IOTRC_CSV_FILE_H
#define IOTRC_CSV_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "schema/streams.h"

/* Bytes that surely become one zstd block: its blocks hold 128 KiB, and from 1.5.7 on it may split
 * a full one. */
#define CSV_FILE_BLOCK (128 * 1024 - 64)

/* A file that is written once more, as the disk has failed: .NAME.copy in the same directory. */
#define CSV_FILE_COPY_END ".copy"

struct file_facts {
	const char *path; /* relative to the session directory; borrowed */
	enum stream stream;
	uint64_t rows;                        /* without the header row */
	uint64_t raw_bytes;                   /* of the CSV, header row included */
	uint64_t compressed_bytes;            /* on disk */
	uint64_t first_mono_ns, last_mono_ns; /* 0 when there are no rows */
	char sha256[65];                      /* of the compressed file, lower-case hex */
};

struct csv_file_config {
	int session_fd;     /* borrowed, until the file is freed */
	enum stream stream; /* gives the subdirectory and the header row */
	const char *name;   /* without .csv.zst */
	int level;          /* zstd's; 0 is 1 */
	uid_t uid;          /* owner of what is created; -1 leaves it */
	gid_t gid;
	struct disk_budget *budget; /* what may be written; NULL: anything. Borrowed */
};

struct csv_file;
struct disk_budget;

/* <prefix>_<stamp>_<seq4>: the name of the SEQth file (from 1) of a stream, stamped with now. */
#define CSV_FILE_NAME_MAX 128
void csv_file__name(char buf[CSV_FILE_NAME_MAX], enum stream stream, unsigned seq);

/* Creates <subdir>/<name>.csv.zst.part with its header row on disk. 0, or a negative errno; then
 * nothing is left, not even the subdirectory if it was the first file there. */
int csv_file__new(struct csv_file **ret, const struct csv_file_config *config);

/* Appends whole rows, at most CSV_FILE_BLOCK bytes, as one block, and writes it. FIRST_NS and
 * LAST_NS: smallest and largest mono_ns among them. All or nothing: after a negative errno none of
 * them is in the file, and it has broken off at its last whole block: it takes no more rows (the
 * same error again) but can be finished. -E2BIG for too many bytes, and -ENOSPC where the room is
 * used up though the disk isn't, break nothing. */
int csv_file__append(struct csv_file *f, const void *data, size_t len, uint64_t rows,
		     uint64_t first_ns, uint64_t last_ns);

/* Ends the frame, syncs, renames to <name>.csv.zst (NAME NULL: the one it was created with) and
 * syncs the directory. A negative errno when that failed; it may be called again. */
int csv_file__finish(struct csv_file *f, const char *name);

/* Puts what has been appended so far on the disk. It may be called while another thread appends,
 * but not while it does anything else. 0, or a negative errno, after which csv_file__finish()
 * writes all of the file once more: a kernel that could not write a page forgets that it should. */
int csv_file__sync(struct csv_file *f);

/* It can't be finished any more: somebody has removed it, or the disk has spoilt it. */
bool csv_file__lost(const struct csv_file *f);

/* What is in the file so far. path and sha256 are set once it is finished. */
const struct file_facts *csv_file__facts(const struct csv_file *f);

/* Frees; a file that isn't finished stays as .part. Accepts NULL, returns NULL. */
struct csv_file *csv_file__free(struct csv_file *f);

/* Frees and removes a file that isn't finished, and its directory when nothing else is in it.
 * Accepts NULL, returns NULL. */
struct csv_file *csv_file__abandon(struct csv_file *f);

#endif
