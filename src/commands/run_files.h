/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a command did to each file, derived from the rows of its recording. */
#ifndef IOTRC_RUN_FILES_H
#define IOTRC_RUN_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "commands/run_uses.h"
#include "export/row.h"

#define RUN_FILES_MAX 4000000 /* maximum number of paths */

/* What is known of a name. */
enum {
	RUN_MISSING = 1 << 0,    /* the command looked for it, and it did not exist */
	RUN_STATED = 1 << 1,     /* its attributes were read: it existed */
	RUN_LISTED = 1 << 2,     /* a directory whose entries were read */
	RUN_DENIED = 1 << 3,     /* EACCES or EPERM */
	RUN_EXECUTED = 1 << 4,   /* a program */
	RUN_READ = 1 << 5,       /* what it contained before the command wrote to it */
	RUN_READABLE = 1 << 6,   /* open for reading and writing, not read yet */
	RUN_WRITTEN = 1 << 7,    /* contents or attributes changed, or it was moved there */
	RUN_MADE = 1 << 8,       /* by the command */
	RUN_MAYBE = 1 << 9,      /* opened with O_CREAT; unknown whether it existed */
	RUN_EXISTED = 1 << 10,   /* it existed before the command, and was removed since */
	RUN_GONE = 1 << 11,      /* removed or renamed, and not created again */
	RUN_DELETED = 1 << 12,   /* it existed before and was removed */
	RUN_TRANSIENT = 1 << 13, /* the command created and removed it */
	RUN_DIRECTORY = 1 << 14,
	RUN_LINKED = 1 << 15,  /* the command created another hard link to it */
	RUN_CHANGED = 1 << 16, /* another process changed it while the command ran */
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
	char path[];    /* absolute, with the bytes that it has on disk */
};

struct run_rename {
	char *from, *to;
	bool ours; /* the command had made it */
};

struct run_files {
	struct run_file **files; /* N entries; sorted by path after run_after__look() */
	size_t n, room;
	void *index;
	struct run_rename *renames; /* in their order */
	size_t n_renames, renames_room;
	struct run_contents *contents; /* all of them */
	const char *alias, *real;      /* directory REAL is also called ALIAS; borrowed */
	uint64_t moved;                /* renamed directories with files that have no rows */
	uint64_t cut;                  /* rows whose path was too long to be recorded whole */
	uint32_t program;              /* of the row at hand */
	bool full; /* RUN_FILES_MAX was reached, or out of memory: files are missing */
};

/* Paths in rows may begin with ALIAS, which leads to REAL, as the program wrote them: they are
 * treated as paths below REAL. */
void run_files__alias(struct run_files *f, const char *alias, const char *real);

/* Adds ROW, of stream fs, in the order of time. PROGRAM of the tree did it, or RUN_TREE_NONE. */
void run_files__row(struct run_files *f, const struct export_row *row, uint32_t program);

/* File PATH was executed by those processes that executed PROGRAM. */
void run_files__executed(struct run_files *f, const char *path, const struct run_file *program);

/* The operations whose rows matter here, a bit each (rows/operation.h). */
uint64_t run_files__operations(void);

/* Frees what F holds. */
void run_files__clear(struct run_files *f);

#endif
