/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a person sees of an upload: a bar on a terminal, news as they come, and a line at the
 * end. */
#ifndef IOTRC_UPLOAD_PROGRESS_H
#define IOTRC_UPLOAD_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "uploader/queue.h"

struct upload_progress {
	bool shown, wanted;
	uint64_t begun_ns, ends_ns; /* CLOCK_MONOTONIC; UINT64_MAX: never */
	uint64_t before;            /* bytes that had been sent when it began */
	uint64_t alive_ns;          /* when the service manager is to be told again */
	struct queue *q;
};

/* Begins to show how far Q, which is borrowed, is. It may take TIMEOUT_NS, UINT64_MAX for ever.
 * QUIET: no bar. */
void upload_progress__begin(struct upload_progress *p, struct queue *q, bool quiet,
			    uint64_t timeout_ns);

/* Takes the bar off the terminal. */
void upload_progress__end(struct upload_progress *p);

/* Shows S, prints the queue's news and tells the service manager that we are alive: ARG is the
 * progress, as queue__wait() wants it. */
void upload_progress__tick(void *arg, const struct queue_stats *s);

/* Says in one line what came of the upload. LATER: when what is left will be sent, with a blank
 * before it, or "". */
void upload_progress__conclude(const struct queue_stats *s, bool quiet, const char *later);

#endif
