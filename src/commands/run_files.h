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

/* What is known about a name. */
enum {
	RUN_MISSING = 1 << 0,    /* the command looked it up, and it did not exist */
	RUN_STATED = 1 << 1,     /* its attributes were read: it existed */
	RUN_LISTED = 1 << 2,     /* a directory whose entries were read */
	RUN_DENIED = 1 << 3,     /* EACCES or EPERM */
	RUN_EXECUTED = 1 << 4,   /* a program */
	RUN_READ = 1 << 5,       /* its content from before the command wrote to it */
	RUN_READABLE = 1 << 6,   /* open for reading and writing, not read yet */
	RUN_WRITTEN = 1 << 7,    /* contents or attributes changed, or it was moved there */
	RUN_MADE = 1 << 8,       /* by the command */
	RUN_MAYBE = 1 << 9,      /* opened with O_CREAT; unknown whether it existed */
	RUN_EXISTED = 1 << 10,   /* it existed before the command, and was removed since */
	RUN_GONE = 1 << 11,      /* removed or renamed, and not created again */
	RUN_DELETED = 1 << 12,   /* it existed before and was removed */
	RUN_TRANSIENT = 1 << 13, /* the command created and removed it */
	RUN_DIRECTORY = 1 << 14,
	RUN_LINKED = 1 << 15,   /* the command created another hard link to it */
	RUN_CHANGED = 1 << 16,  /* another process changed it while the command ran */
	RUN_FILLED = 1 << 17,   /* its content is the command's: it created or wrote to it */
	RUN_REACHED = 1 << 18,  /* changed by a call on its path */
	RUN_FOLLOWED = 1 << 19, /* by one that follows symbolic links */
};

#define RUN_OURS (RUN_MADE | RUN_MAYBE)

/* A content that several names have had: hard links, or the old and the new name of a rename. */
struct run_contents {
	struct run_file *origin; /* its first name */
	bool ours;               /* written by the command, or in part */
	struct run_contents *next;
};

struct run_file {
	unsigned int is;
	struct run_contents *contents; /* NULL: no other name ever had it */
	struct run_uses uses;
	uint64_t inode;   /* 0: unknown */
	uint64_t reached; /* the one that the last call with RUN_REACHED changed; 0: unknown */
	char path[];      /* absolute, with its bytes on disk */
};

struct run_rename {
	char *from, *to;
	bool ours; /* the command had created it */
};

struct run_files {
	struct run_file **files; /* N entries; sorted by path after run_after__look() */
	size_t n, capacity;
	void *index;
	struct run_rename *renames; /* in their order */
	size_t n_renames, renames_capacity;
	struct run_contents *contents; /* all of them */
	const char *alias, *real;      /* directory REAL is also called ALIAS; borrowed */
	uint64_t moved;                /* renamed directories with files that have no rows */
	uint64_t cut;                  /* rows whose path was cut */
	uint64_t roots;                /* changes of the root directory */
	uint64_t mounts;               /* filesystems and directories that were mounted */
	uint32_t program;              /* of the row at hand */
	bool full; /* RUN_FILES_MAX was reached, or out of memory: files are missing */
};

/* Paths in rows may begin with ALIAS, which leads to REAL, as the program wrote them: they are
 * treated as paths below REAL. */
void run_files__alias(struct run_files *f, const char *alias, const char *real);

/* Adds ROW, of stream fs, in the order of time. It belongs to PROGRAM of the tree, or to
 * RUN_TREE_NONE. */
void run_files__row(struct run_files *f, const struct export_row *row, uint32_t program);

/* What changed LINK, a path with symbolic links, has changed the file PATH to which it leads. */
void run_files__leads_to(struct run_files *f, struct run_file *link, const char *path);

/* Notes that the processes that executed PROGRAM also executed file PATH. */
void run_files__executed(struct run_files *f, const char *path, const struct run_file *program);

/* The operations whose rows matter here, a bit each (rows/operation.h). */
uint64_t run_files__operations(void);

/* Frees what F holds. */
void run_files__clear(struct run_files *f);

#endif
