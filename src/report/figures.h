/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a report counts of a session's rows. Each thread fills a figures of its own; then they are
 * added up. Memory is bounded whatever the rows are: names that there is no room for are the rare
 * ones, and what the others may lack is known (aggregate/groups.h). */
#ifndef IOTRC_FIGURES_H
#define IOTRC_FIGURES_H

#include <stdbool.h>
#include <stdint.h>

#include "aggregate/groups.h"
#include "aggregate/sketch.h"
#include "dataset/row_file.h"
#include "report/sample.h"
#include "report/timeline.h"
#include "schema/fs_ops.h"
#include "schema/streams.h"

/* Rows in the samples: of fs, of block, of all others. */
enum figures_sample { SAMPLE_FS, SAMPLE_BLOCK, SAMPLE_OTHER, SAMPLE_COUNT };
#define SAMPLE_FS_MAX 60000
#define SAMPLE_BLOCK_MAX 30000
#define SAMPLE_OTHER_MAX 20000

/* Sizes of transfers: a count for each power of two; [0]: nothing was moved. */
enum figures_size { SIZE_READ, SIZE_WRITE, SIZE_BLOCK_READ, SIZE_BLOCK_WRITE, SIZE_COUNT };
#define SIZE_POWERS 65

/* Lengths of texts that are kept for a group; longer ones are cut. */
#define FIGURES_COMMAND 64
#define FIGURES_TEXT 160

/* Of rows of fs, or of block. All times are CLOCK_MONOTONIC. */
struct totals {
	uint64_t rows, reads, writes, failed;
	uint64_t bytes_read, bytes_written;
	uint64_t ns; /* of all operations */
	uint64_t first_ns, last_ns;
};

/* The values of the groups. A weight is the number of rows and of 4 KiB that were moved. */
struct plain_group { /* directories, programs, containers */
	struct totals totals;
};
struct file_group { /* key: its name, as in the row */
	struct totals totals;
	uint32_t device;
};
struct device_group { /* key: MAJOR:MINOR */
	struct totals totals;
	char fs_type[32]; /* "" for a disk */
	struct sketch latency;
};
struct process_group { /* key: the pid, 8 bytes */
	struct totals totals;
	uint64_t forked_ns, exited_ns; /* 0: not seen */
	uint64_t named_ns, started_ns; /* the rows that COMMAND and CMDLINE are of */
	uint64_t ppid, container, execs;
	char command[FIGURES_COMMAND], cmdline[FIGURES_TEXT];
};
struct operation_group { /* key: stream, '/', operation */
	uint64_t rows, failed, bytes, ns;
	struct sketch latency;
};
struct error_group { /* key: operation, '/', name of the error */
	uint64_t rows, first_ns;
	char command[FIGURES_COMMAND], filename[FIGURES_TEXT]; /* of the first */
};
struct peer_group { /* key: CONNECT or ACCEPT, '/', address, '/', port */
	uint64_t rows, failed, ns, max_ns, first_ns;
	char command[FIGURES_COMMAND];
};

enum figures_table {
	TABLE_FILES,
	TABLE_DIRECTORIES,
	TABLE_PROCESSES,
	TABLE_PROGRAMS,
	TABLE_CONTAINERS,
	TABLE_DEVICES,
	TABLE_DISKS,
	TABLE_OPERATIONS,
	TABLE_ERRORS,
	TABLE_PEERS,
	TABLE_COUNT
};

struct figures {
	struct timeline time;
	uint64_t sizes[SIZE_COUNT][SIZE_POWERS];
	uint64_t lost_spans, first_ns, last_ns;
	struct sample samples[SAMPLE_COUNT];
	uint64_t sampled_of[SAMPLE_COUNT]; /* rows that the samples are of */
	struct figures_group_table {
		struct groups *groups;
		struct group *last; /* asked for; NULL: none, or it is gone */
	} tables[TABLE_COUNT];
};

/* A figures for a session that began at ORIGIN_NS and ends at END_NS, as far as is known. 0, or
 * -ENOMEM. */
int figures__new(struct figures **ret, uint64_t origin_ns, uint64_t end_ns);

/* Frees it; NULL is allowed. Returns NULL. */
struct figures *figures__free(struct figures *t);

/* Takes a row in: FIELDS has the schema's number of columns of STREAM. A field that holds no number
 * where there should be one counts as empty. 0, or -ENOMEM. */
int figures__row(struct figures *t, enum stream stream, const struct row_field *fields);

/* Adds all of FROM, whose times may be changed. 0, or -ENOMEM. */
int figures__merge(struct figures *t, struct figures *from);

/* ---- for figures_fs.c and figures_other.c ---- */

/* A number in a field; false where it is empty or none. */
bool figures__number(const struct row_field *f, uint64_t *ret);
/* A fraction, in millionths; likewise. */
bool figures__millionths(const struct row_field *f, uint64_t *ret);
/* MAJOR:MINOR as major << 20 | minor; 0 where it is none. */
uint32_t figures__device(const struct row_field *f);

/* The group of KEY in TABLE, WEIGHT heavier; NULL: out of memory. */
struct group *figures__group(struct figures *t, enum figures_table table, const char *key,
			     size_t len, uint64_t weight);

/* Copies a field into a text of SIZE bytes, cut at a character, ended with a NUL. */
void figures__text(char *to, size_t size, const struct row_field *f);

/* A row of the timeline, of the samples and of totals. */
struct figure_row {
	enum channel channel;
	uint64_t mono_ns, ns, bytes, at, pid;
	uint32_t device;
	bool failed, has_ns, has_bytes, has_at, read, write;
	const struct row_field *name; /* the file; NULL: none */
};

void totals__add(struct totals *t, const struct figure_row *row);
/* Counts N things of ROW->channel, and puts it in a grid. */
unsigned int figures__when(struct figures *t, const struct figure_row *row, uint64_t n);
int figures__sample(struct figures *t, enum figures_sample which, const struct figure_row *row,
		    uint64_t who);
/* Adds to the operation OPERATION of STREAM. */
int figures__operation(struct figures *t, enum stream stream, const struct row_field *operation,
		       const struct figure_row *row);
int figures__error(struct figures *t, const struct row_field *operation,
		   const struct row_field *error, const struct row_field *command,
		   const struct figure_row *row);

int figures__fs(struct figures *t, const struct row_field *fields);
int figures__block(struct figures *t, const struct row_field *fields);
int figures__conn(struct figures *t, const struct row_field *fields);
int figures__cache(struct figures *t, const struct row_field *fields);
int figures__pagefault(struct figures *t, const struct row_field *fields);
int figures__epoll(struct figures *t, const struct row_field *fields);
int figures__sockopt(struct figures *t, const struct row_field *fields);
int figures__drop(struct figures *t, const struct row_field *fields);
int figures__lost(struct figures *t, const struct row_field *fields);
int figures__process(struct figures *t, const struct row_field *fields);

#endif
