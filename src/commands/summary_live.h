/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A summary of current activity, computed in the kernel: no rows, no files. */
#ifndef IOTRC_SUMMARY_LIVE_H
#define IOTRC_SUMMARY_LIVE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "engine/engine.h"
#include "schema/selection.h"
#include "summary/summary.h"

struct summary_live {
	const struct command *command; /* whose messages these are */
	struct selection selection;    /* streams, filters, scope */
	uint64_t duration_ns;          /* 0: until a signal, or until CMD or PID ends */
	char **argv;                   /* a command to run, or NULL */
	pid_t pid;                     /* a process to watch, or 0 */
	struct summary *summaries;     /* by stream; initialised for the selection's streams */
	uint32_t shown;                /* the selection's streams; names may take further ones */
	struct live_names *names;      /* by file; NULL otherwise, and at the end */
	struct containers *containers; /* by container; likewise */
	struct container_follower *follower;
	struct clock *clock; /* by minute; NULL otherwise, and at the end */
	pthread_t thread;    /* drains the names */
	atomic_bool ended;

	/* Results. */
	int status; /* the command's */
	uint64_t untimed, lost[STREAM_CAPTURED], missed[STREAM_CAPTURED];
};

/* Whether the kernel can sum up STREAM by D. */
bool summary_live__knows(const struct dimension *d, enum stream stream);

/* Watches, and adds the results to the summaries. Returns 0, or the exit code after a message. */
int summary_live__run(struct summary_live *l);

#endif
