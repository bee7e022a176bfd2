/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The recording of `iotrc run`: a process of its own, which records one process and all that
 * descend from it. It is not in our process group, so that Ctrl+C doesn't reach it. */
#ifndef IOTRC_RUN_RECORDER_H
#define IOTRC_RUN_RECORDER_H

#include <stdio.h>
#include <sys/types.h>

struct run_recorder {
	pid_t pid;
	FILE *says; /* what it had to say, once it has ended */
};

/* Starts to record process PID into directory DIR, and returns when each event of PID is seen; with
 * STRACE, the FIFO that strace will write to, what it writes. 0, or -ECHILD: it could not, and
 * R->says has why; or another negative errno. */
int run_recorder__start(struct run_recorder *r, pid_t pid, const char *dir, const char *strace);

/* Ends the recording. Returns how the process ended, as waitpid(2) tells it: 0 where every row is
 * there. R->says can be read from its start. */
int run_recorder__stop(struct run_recorder *r);

void run_recorder__clear(struct run_recorder *r);

#endif
