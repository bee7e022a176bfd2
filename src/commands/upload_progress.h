/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The progress of an upload: a bar on a terminal, news, and a line at the end. */
#ifndef IOTRC_UPLOAD_PROGRESS_H
#define IOTRC_UPLOAD_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "uploader/queue.h"

struct upload_progress {
	bool shown, wanted;
	uint64_t begun_ns, ends_ns; /* CLOCK_MONOTONIC; UINT64_MAX: never */
	uint64_t before;            /* bytes already sent at the start */
	uint64_t alive_ns;          /* the time of the next notice to the service manager */
	struct queue *q;
};

/* Begins to show the progress of Q, which is borrowed. It may take TIMEOUT_NS (UINT64_MAX: any
 * time). QUIET: no bar. */
void upload_progress__begin(struct upload_progress *p, struct queue *q, bool quiet,
			    uint64_t timeout_ns);

/* Removes the bar from the terminal. */
void upload_progress__end(struct upload_progress *p);

/* Shows S, prints the queue's news and sends a sign of life to the service manager. ARG is the
 * progress; this is a callback of queue__wait(). */
void upload_progress__tick(void *arg, const struct queue_stats *s);

/* Waits for Q as queue__wait() does and shows its progress; then stops it and gets its final stats.
 * False if a thread is stuck: the caller must exit without freeing Q. */
bool upload_progress__run(struct queue *q, bool quiet, uint64_t timeout_ns,
			  const volatile int *stop, struct queue_stats *ret);

/* Prints one line about the result. LATER: when the rest will be sent, with a leading blank, or
 * "". */
void upload_progress__conclude(const struct queue_stats *s, bool quiet, const char *later);

#endif
