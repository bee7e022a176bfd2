/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sums of a session's rows that a report shows. Each thread fills its own figures; then they
 * are added. Memory is bounded for any rows: rare names are dropped if there is no space, and the
 * possible error of the others is known (aggregate/groups.h). */
#ifndef IOTRC_FIGURES_H
#define IOTRC_FIGURES_H

#include <stdbool.h>
#include <stdint.h>

#include "aggregate/groups.h"
#include "aggregate/sketch.h"
#include "report/sample.h"
#include "report/timeline.h"

/* Rows in the samples: of fs, of block, of all others. */
enum figures_sample { SAMPLE_FS, SAMPLE_BLOCK, SAMPLE_OTHER, SAMPLE_COUNT };
#define SAMPLE_FS_MAX 60000
#define SAMPLE_BLOCK_MAX 30000
#define SAMPLE_OTHER_MAX 20000

/* Sizes of transfers: a count for each power of two; [0]: no bytes were moved. */
enum figures_size { SIZE_READ, SIZE_WRITE, SIZE_BLOCK_READ, SIZE_BLOCK_WRITE, SIZE_COUNT };
#define SIZE_POWERS 65

/* Maximum lengths of texts stored for a group; longer ones are cut. */
#define FIGURES_COMMAND 64
#define FIGURES_TEXT 160

/* Of rows of fs or block. All times are CLOCK_MONOTONIC. */
struct totals {
	uint64_t rows, reads, writes, failed;
	uint64_t bytes_read, bytes_written;
	uint64_t ns; /* of all operations */
	uint64_t first_ns, last_ns;
};

/* The values of the groups. A weight is the number of rows plus that of transferred units of 4
 * KiB. */
struct plain_group { /* directories, programs, containers */
	struct totals totals;
};
struct file_group { /* key: its name as in the row */
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
	uint64_t named_ns, started_ns; /* the rows from which COMMAND and CMDLINE are */
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
/* Parts of block requests, and their bytes. */
struct disk_totals {
	uint64_t parts, read, written;
};
struct first_word {
	uint64_t at_ns; /* 0: none yet */
	bool others;
	char text[FIGURES_COMMAND];
};
struct disk_file_group { /* key: the name that rows of fs have */
	struct disk_totals totals;
	uint64_t ahead;                   /* of the bytes read: those that nobody had requested */
	uint64_t oldest_ns;               /* for how long a written page was dirty, at most */
	struct first_word command, cause; /* of what is written */
};
struct disk_owner_group { /* key: kind, '/', cause, '/', command */
	struct disk_totals totals;
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
	TABLE_DISK_FILES,
	TABLE_DISK_OWNERS,
	TABLE_COUNT
};

struct figures {
	struct timeline time;
	uint64_t sizes[SIZE_COUNT][SIZE_POWERS];
	uint64_t lost_spans, first_ns, last_ns;
	struct sample samples[SAMPLE_COUNT];
	uint64_t sampled_of[SAMPLE_COUNT]; /* rows from which the samples are taken */
	struct figures_group_table {
		struct groups *groups;
		struct group *last; /* requested; NULL: none, or it was freed */
	} tables[TABLE_COUNT];
};

/* Creates figures for a session from ORIGIN_NS to END_NS, as far as known. Returns 0, or
 * -ENOMEM. */
int figures__new(struct figures **ret, uint64_t origin_ns, uint64_t end_ns);

/* Frees it; NULL is allowed. Returns NULL. */
struct figures *figures__free(struct figures *t);

/* Adds everything of FROM, whose times may be changed. Returns 0, or -ENOMEM. */
int figures__merge(struct figures *t, struct figures *from);

/* Sets *TO to FROM if that is earlier (a time of 0 is unknown), or later. */
static inline void figures__min_time(uint64_t *to, uint64_t from)
{
	if (from && (!*to || from < *to))
		*to = from;
}

static inline void figures__max_time(uint64_t *to, uint64_t from)
{
	if (from > *to)
		*to = from;
}

#endif
