/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All processes, and the CPU time they used over the last 5 s, 2 min and 1 h. A pass reads
 * /proc/PID/stat of each and no more. It is made only when a window of a coming snapshot begins:
 * between snapshots, two or three times. */
#ifndef IOTRC_SNAP_PROCESS_H
#define IOTRC_SNAP_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/anonymize.h"
#include "base/clock.h"
#include "snappers/rows.h"

struct processes;

/* Of the /proc in directory PROC (NULL: /proc). 0, or a negative errno. */
int processes__new(struct processes **ret, const char *proc);
/* Frees it; NULL is allowed. Returns NULL. */
struct processes *processes__free(struct processes *p);

/* When the next pass is due, mono ns after NOW: snapshots are at FIRST, FIRST + INTERVAL, ...
 * RET_SNAPSHOT says whether it is one. */
uint64_t processes__next(uint64_t first_ns, uint64_t interval_ns, uint64_t now_ns,
			 bool *ret_snapshot);

/* Reads all processes. ROWS: writes them as a snapshot; NULL: only notes their CPU time. NOW is the
 * mono time of the pass. ANON may be NULL. 0, or a negative errno: the pass broke off. */
int processes__pass(struct processes *p, uint64_t now_ns, struct rows *rows, struct clock *clock,
		    struct anonymizer *anon);

/* Processes at the last pass. */
size_t processes__count(const struct processes *p);

#endif
