/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The recording of `iotrc run`: a process of its own, which records a process and all its
 * descendants. It is not in our process group, so Ctrl+C does not reach it. */
#ifndef IOTRC_RUN_RECORDER_H
#define IOTRC_RUN_RECORDER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "commands/run_engine.h"

/* Selects the rows of the recording. */
struct run_rows {
	uint64_t ops;  /* as in struct selection */
	bool distinct; /* none that repeat others (rows/repeats.h) */
};

struct run_recorder {
	pid_t pid;
	FILE *says; /* its messages, after it has ended */
};

/* Starts to record process PID into directory DIR, and returns once every event of PID is recorded.
 * It uses the engine of TRACER. Returns 0; -ECHILD if it could not record, with the reason in
 * R->says; or another negative errno. */
int run_recorder__start(struct run_recorder *r, pid_t pid, const char *dir,
			const struct run_rows *rows, const struct run_engine *tracer);

/* Ends the recording. Returns the status of the process as of waitpid(2): 0 if no row is missing.
 * R->says can be read from its start. */
int run_recorder__stop(struct run_recorder *r);

/* Frees what R holds. */
void run_recorder__clear(struct run_recorder *r);

#endif
