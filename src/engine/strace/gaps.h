/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What strace's output does not tell. For each gap is counted how often it was met, and noted in
 * which process first. */
#ifndef IOTRC_STRACE_GAPS_H
#define IOTRC_STRACE_GAPS_H

#include <stdatomic.h>
#include <stdint.h>

#include "engine/engine.h"

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

struct strace_gaps {
	atomic_uint_least64_t n[GAPS];
	uint32_t pids[GAPS];
};

/* Counts GAP, met in process PID (0: in none). */
void strace_gaps__count(struct strace_gaps *g, enum gap gap, uint32_t pid);

/* Tells each gap that was met, as a line. */
void strace_gaps__tell(struct strace_gaps *g, engine_gap_fn tell, void *arg);

#endif
