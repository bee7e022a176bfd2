/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is to be recorded: a value that engines and encoders act on, wherever it comes from. */
#ifndef IOTRC_SELECTION_H
#define IOTRC_SELECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "schema/fs_ops.h"
#include "schema/streams.h"

#define SELECTION_LIST_MAX 16 /* entries of each list */
#define SELECTION_COMM_MAX 15 /* bytes of a thread's name: TASK_COMM_LEN less its NUL */

/* How system calls are hooked: different hooks for the same programs, with the same rows. */
enum attach {
	ATTACH_AUTO,      /* the cheapest of those that miss nothing on this kernel */
	ATTACH_RAW,       /* BTF raw tracepoints */
	ATTACH_CLASSIC,   /* classic tracepoints, through perf events */
	ATTACH_FUNCTIONS, /* the kernel's functions for the recorded calls only */
};

/* An absolute path without a trailing slash ("/" has len 0): that file and all below it. */
struct path_prefix {
	const char *text; /* borrowed, not NUL-terminated at len */
	size_t len;
};

struct path_list {
	struct path_prefix at[2 * SELECTION_LIST_MAX]; /* those given, then their real paths */
	size_t n;
};

struct comm_list {
	char names[SELECTION_LIST_MAX][SELECTION_COMM_MAX + 1]; /* NUL-padded */
	size_t n;
};

struct selection {
	uint32_t streams;      /* bit per enum stream, captured ones only, never 0 */
	uint64_t ops;          /* bit per enum fs_op */
	bool ops_listed;       /* --ops named each of them, rather than the excluded ones */
	uint32_t cache_sample; /* cache: record one page in this many; 0 and 1: all */
	enum attach attach;
	bool scope_all; /* pipes, sockets, devices and pseudo filesystems as well */

	/* Each filter lets everything through while it is empty. */
	pid_t pids[SELECTION_LIST_MAX]; /* process ids (thread groups) */
	size_t n_pids;
	struct comm_list commands, excluded_commands;
	bool follow; /* what threads of COMMANDS start belongs to them */
	struct path_list paths, excluded_paths;
	uint64_t cgroups[SELECTION_LIST_MAX]; /* cgroup v2 ids, with all cgroups below */
	size_t n_cgroups;
	/* Patterns for names: containers that are called so, also those that start later; the
	 * caller finds them (engine__add_cgroup()). Borrowed. */
	const char *containers[SELECTION_LIST_MAX];
	size_t n_containers;
	uid_t uids[SELECTION_LIST_MAX]; /* real user ids */
	size_t n_uids;
	bool errors;      /* only what failed */
	uint64_t slow_ns; /* only what took at least this long, in ns */
};

#define ALL_OPS (((UINT64_C(1) << FS_OP_COUNT) - 1) & ~UINT64_C(1)) /* bit 0 is FS_NONE */
_Static_assert(FS_OP_COUNT < 64, "selection.ops has a bit per operation");

static inline bool selection__stream(const struct selection *s, enum stream stream)
{
	return s->streams >> stream & 1;
}

static inline bool selection__op(const struct selection *s, enum fs_op op)
{
	return s->ops >> op & 1;
}

#endif
