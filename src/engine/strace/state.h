/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of this engine share. */
#ifndef IOTRC_STRACE_STATE_H
#define IOTRC_STRACE_STATE_H

#include <limits.h>
#include <stdatomic.h>

#include "base/mounts.h"
#include "engine/engine.h"
#include "engine/strace/line.h"
#include "engine/strace/tasks.h"

/* What could not be seen: how often, and in which process first. */
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
	int fd;         /* where strace writes to */
	int watched;    /* or negative */
	bool is_fifo;   /* before anybody has opened it to write, its end is none */
	bool begun;     /* something has come */
	bool at_end;    /* nothing more will */
	bool detached;  /* what has come by now is all that is wanted */
	bool is_root;   /* programs get the privileges of their owners */
	uint32_t first; /* the command's process; 0: not seen yet */
	bool first_ended;
	uint32_t shim_seen; /* programs of the command's process */
	bool in_shim;       /* the command's process has not become the command yet */
	struct mounts *mounts;
	struct tasks *tasks;
	char cwd[PATH_MAX]; /* where the command begins; "": not known */
	/* read, and not taken apart yet */
	char *text;
	size_t text_len, text_room, marked;
	bool skipping;     /* the rest of a line that is too long */
	int64_t offset_ns; /* wall time minus CLOCK_MONOTONIC */
	uint32_t epoch;
	uint64_t ids;            /* the last that was given */
	const struct sink *sink; /* during drain */
	atomic_uint_least64_t seen, filtered;
	atomic_uint_least64_t gaps[GAPS];
	uint32_t gap_pids[GAPS];
};

/* Counts what can't be seen of process PID. */
void strace__gap(struct strace *s, enum gap gap, uint32_t pid);

/* Turns a call into events. */
void strace__call(struct strace *s, struct task *t, const struct line_call *c, uint64_t began_ns);

/* The end of a process, at NS of 1970. */
void strace__exit(struct strace *s, struct task *t, int status, uint64_t ns);

/* Thread TID, which task T's call has made, is one of its process, or is a process of its own; its
 * lines so far are taken in. */
void strace__born(struct strace *s, struct task *t, uint32_t tid, bool is_thread);

/* The names of all calls, as strace's option -e takes them: static. */
const char *strace__calls(void);

#endif
