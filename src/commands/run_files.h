/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a command did to each file, derived from the rows of its recording. */
#ifndef IOTRC_RUN_FILES_H
#define IOTRC_RUN_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "commands/run_uses.h"
#include "export/row.h"

#define RUN_FILES_MAX 4000000 /* names that are kept track of */

/* What is known of a name. */
enum {
	RUN_MISSING = 1 << 0,    /* it was looked for and not there */
	RUN_STATED = 1 << 1,     /* its attributes were read: it was there */
	RUN_LISTED = 1 << 2,     /* a directory whose entries were read */
	RUN_DENIED = 1 << 3,     /* EACCES or EPERM */
	RUN_EXECUTED = 1 << 4,   /* a program */
	RUN_READ = 1 << 5,       /* what it held before the command wrote to it */
	RUN_READABLE = 1 << 6,   /* open for both, not read from yet */
	RUN_WRITTEN = 1 << 7,    /* contents or attributes changed, or it was put there */
	RUN_MADE = 1 << 8,       /* by the command */
	RUN_MAYBE = 1 << 9,      /* opened with O_CREAT, and nothing tells whether it was there */
	RUN_EXISTED = 1 << 10,   /* before the command, and it was removed since */
	RUN_GONE = 1 << 11,      /* removed or renamed, and not made again */
	RUN_DELETED = 1 << 12,   /* it existed before and was removed */
	RUN_TRANSIENT = 1 << 13, /* the command made and removed it */
	RUN_DIRECTORY = 1 << 14,
	RUN_LINKED = 1 << 15,  /* the command made another hard link to it */
	RUN_CHANGED = 1 << 16, /* somebody else changed it while the command ran */
	RUN_FILLED = 1 << 17,  /* what it holds is the command's: it made it, or wrote to it */
};

#define RUN_OURS (RUN_MADE | RUN_MAYBE)

/* What several names have held: those of hard links, and the old and the new one of a rename. */
struct run_contents {
	struct run_file *origin; /* the name that it had at first */
	bool ours;               /* the command wrote it, or to it */
	struct run_contents *next;
};

struct run_file {
	unsigned int is;
	struct run_contents *contents; /* NULL: nothing else ever had it */
	struct run_uses uses;
	uint64_t inode; /* 0: no row told it */
	char path[];    /* absolute, the bytes that it has on disk */
};

struct run_rename {
	char *from, *to;
	bool ours; /* the command had made it */
};

struct run_files {
	struct run_file **files; /* N; by path after run_after__look() */
	size_t n, room;
	void *index;
	struct run_rename *renames; /* in their order */
	size_t n_renames, renames_room;
	struct run_contents *contents; /* all of them */
	const char *alias, *real;      /* directory REAL has the name ALIAS, too; borrowed */
	uint64_t moved;   /* directories with files that no row tells of, which have new names */
	uint64_t cut;     /* rows whose path was too long to be recorded whole */
	uint32_t program; /* of the row at hand */
	bool full;        /* RUN_FILES_MAX was reached, or memory is out: names are missing */
};

/* Paths that rows have as they were asked for may begin with ALIAS, which leads to REAL: they are
 * taken for those below REAL. */
void run_files__alias(struct run_files *f, const char *alias, const char *real);

/* Takes in ROW, of stream fs, in the order of time. PROGRAM of the tree did it, or
 * RUN_TREE_NONE. */
void run_files__row(struct run_files *f, const struct export_row *row, uint32_t program);

void run_files__clear(struct run_files *f);

#endif
