/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The processes of a recording that were still running at its end. */
#ifndef IOTRC_RUN_PROCESSES_H
#define IOTRC_RUN_PROCESSES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "export/row.h"

/* Their ids, each as often as it occurred. */
struct run_pids {
	uint64_t *ids;
	size_t n, capacity;
};

struct run_processes {
	struct run_pids begun, ended;
	bool full; /* out of memory: some are missing */
};

/* Adds ROW, of stream fs, in any order. */
void run_processes__row(struct run_processes *p, const struct export_row *row);

/* Adds a line to INCOMPLETE for each process that started more often than it ended. To be called
 * after the last row. */
void run_processes__tell(struct run_processes *p, json_t *incomplete);

/* Frees what P holds. */
void run_processes__clear(struct run_processes *p);

#endif
