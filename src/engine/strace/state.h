/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state that the files of this engine share. */
#ifndef IOTRC_STRACE_STATE_H
#define IOTRC_STRACE_STATE_H

#include <limits.h>
#include <stdatomic.h>

#include "base/mounts.h"
#include "engine/engine.h"
#include "engine/strace/gaps.h"
#include "engine/strace/tasks.h"

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
	struct held_lines *held; /* of threads.c */
	char cwd[PATH_MAX];      /* the command's directory; "": unknown */
	/* read, but not parsed yet */
	char *text;
	size_t text_len, text_capacity, marked;
	bool skipping;     /* skipping the rest of a line that is too long */
	int64_t offset_ns; /* wall time minus CLOCK_MONOTONIC */
	uint32_t epoch;
	uint64_t ids;            /* the last id given */
	const struct sink *sink; /* during drain */
	atomic_uint_least64_t seen, filtered;
	struct strace_gaps gaps;
};

#endif
