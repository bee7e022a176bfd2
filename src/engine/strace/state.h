/* SPDX-License-Identifier: GPL-2.0-or-later */
/* State and functions shared by the files of this engine. */
#ifndef IOTRC_STRACE_STATE_H
#define IOTRC_STRACE_STATE_H

#include <limits.h>
#include <stdatomic.h>

#include "base/mounts.h"
#include "engine/engine.h"
#include "engine/strace/line.h"
#include "engine/strace/tasks.h"

/* What could not be seen. For each is counted how often, and noted in which process first. */
enum gap {
	GAP_URING,
	GAP_ROOT,
	GAP_SETUID,
	GAP_AIO,
	GAP_THREAD,
	GAP_LINES,
	GAP_PARENT,
	GAP_MEMORY,
	GAP_DIED,
	GAP_NOTHING,
	GAPS
};

struct strace {
	struct engine engine;
	int fd;         /* strace's output */
	int watched;    /* or negative */
	bool is_fifo;   /* until strace has opened it for writing, reading 0 bytes is not its end */
	bool begun;     /* something has been read */
	bool at_end;    /* nothing more will be read */
	bool detached;  /* only what has been written by now is still wanted */
	bool is_root;   /* set-user-ID programs get their owners' privileges */
	uint32_t first; /* the command's process; 0: not seen yet */
	bool first_ended;
	uint32_t shim_seen; /* programs of the command's process */
	bool in_shim;       /* the command's process has not become the command yet */
	struct mounts *mounts;
	struct tasks *tasks;
	char cwd[PATH_MAX]; /* the command's directory; "": unknown */
	/* read, but not parsed yet */
	char *text;
	size_t text_len, text_capacity, marked;
	bool skipping;     /* skipping the rest of a line that is too long */
	int64_t offset_ns; /* wall time minus CLOCK_MONOTONIC */
	uint32_t epoch;
	uint64_t ids;            /* the last id given */
	const struct sink *sink; /* during drain */
	atomic_uint_least64_t seen, filtered;
	atomic_uint_least64_t gaps[GAPS];
	uint32_t gap_pids[GAPS];
};

/* Counts something that cannot be seen of process PID. */
void strace__gap(struct strace *s, enum gap gap, uint32_t pid);

/* Turns a call into events. */
void strace__call(struct strace *s, struct strace_task *t, const struct line_call *c,
		  uint64_t began_ns);

/* The end of a process, NS nanoseconds after 1970. */
void strace__exit(struct strace *s, struct strace_task *t, int status, uint64_t ns);

/* T's call has created thread TID, of the same process or as a new process. Handles the lines of
 * TID that had to wait for this. */
void strace__born(struct strace *s, struct strace_task *t, uint32_t tid, bool is_thread);

/* The names of all calls, for strace's option -e: a static string. */
const char *strace__calls(void);

#endif
