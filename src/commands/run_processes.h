/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which processes of a recording had not ended when it did. */
#ifndef IOTRC_RUN_PROCESSES_H
#define IOTRC_RUN_PROCESSES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "export/row.h"

/* Their ids, each as often as it came. */
struct run_pids {
	uint64_t *ids;
	size_t n, room;
};

struct run_processes {
	struct run_pids begun, ended;
	bool full; /* memory is out: some are missing */
};

/* Takes in ROW, of stream fs, in any order. */
void run_processes__row(struct run_processes *p, const struct export_row *row);

/* Adds a line for each that was begun more often than it ended to INCOMPLETE. After the last
 * row. */
void run_processes__tell(struct run_processes *p, json_t *incomplete);

void run_processes__clear(struct run_processes *p);

#endif
