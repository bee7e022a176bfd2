/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Snapshots of all processes, with their CPU use over the last 5 s, 2 min and 1 h. A pass reads
 * only /proc/PID/stat of each process. Passes are made where a window of a coming snapshot begins:
 * two or three times between two snapshots. */
#ifndef IOTRC_SNAP_PROCESS_H
#define IOTRC_SNAP_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/anonymize.h"
#include "base/clock.h"
#include "snappers/snap_rows.h"

struct processes;

/* PROC: a directory to read instead of /proc, or NULL. 0, or a negative errno. */
int processes__new(struct processes **ret, const char *proc);
/* Frees it; NULL is allowed. Returns NULL. */
struct processes *processes__free(struct processes *p);

/* When the next pass is due, mono ns after NOW: snapshots are at FIRST, FIRST + INTERVAL, ...
 * RET_SNAPSHOT says whether it is one. */
uint64_t processes__next(uint64_t first_ns, uint64_t interval_ns, uint64_t now_ns,
			 bool *ret_snapshot);

/* Reads all processes and writes them to ROWS as a snapshot; with NULL, only notes their CPU times.
 * NOW is the mono time of the pass. ANON may be NULL. 0, or a negative errno if it broke off. */
int processes__pass(struct processes *p, uint64_t now_ns, struct snap_rows *rows,
		    struct clock *clock, struct anonymizer *anon);

/* Number of processes in the last pass. */
size_t processes__count(const struct processes *p);

#endif
