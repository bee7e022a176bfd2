// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/strace/gaps.h"

#include <inttypes.h>
#include <stdio.h>

/* clang-format off */
static const char *const gap_texts[GAPS] = {
	[GAP_URING] = "io_uring: strace does not see what is done through it",
	[GAP_ROOT] = "another root or mount namespace: paths there may be wrong",
	[GAP_SETUID] = "a set-user-ID program ran without its owner's privileges",
	[GAP_THREAD] = "a thread executed a program: strace misses that program's first call",
	[GAP_AIO] = "asynchronous I/O: strace does not show all requests of a call",
	[GAP_LINES] = "strace's output was not understood",
	[GAP_PARENT] = "a process whose parent is not known: relative paths may be wrong",
	[GAP_MEMORY] = "out of memory for processes",
	[GAP_DIED] = "strace ended before the command did",
	[GAP_NOTHING] = "strace has recorded nothing",
};
/* clang-format on */

void strace_gaps__count(struct strace_gaps *g, enum gap gap, uint32_t pid)
{
	if (!atomic_fetch_add(&g->n[gap], 1))
		g->pids[gap] = pid;
}

void strace_gaps__tell(struct strace_gaps *g, engine_gap_fn tell, void *arg)
{
	char text[160];
	size_t len;

	for (int i = 0; i < GAPS; i++) {
		uint64_t n = atomic_load(&g->n[i]);

		if (!n)
			continue;
		len = snprintf(text, sizeof(text), "%s", gap_texts[i]);
		if (g->pids[i])
			len += snprintf(text + len, sizeof(text) - len, " (process %" PRIu32 ")",
					g->pids[i]);
		if (n > 1)
			snprintf(text + len, sizeof(text) - len, ", %" PRIu64 " times", n);
		tell(arg, text);
	}
}
