/* SPDX-License-Identifier: GPL-2.0-or-later */
/* With which engine `iotrc run` records, and what strace needs around it. */
#ifndef IOTRC_RUN_ENGINE_H
#define IOTRC_RUN_ENGINE_H

#include <sys/types.h>

#include "options/command.h"

struct run_engine {
	const char *name; /* "bpf" or "strace" */
	const char *why;  /* it was chosen, or NULL: it was asked for */
	char *fifo;       /* that strace writes to, or NULL */
	char *errors;     /* the file of what it has to say */
	char *dir;        /* where it is */
	int fd;           /* its end to read from, or negative */
	pid_t recorder;
};

/* Chooses the engine that WORD names: "bpf", "strace", or "auto" (NULL as well), which is bpf where
 * the rights are there. 0, or the exit code after a message in the name of command C. */
int run_engine__choose(struct run_engine *e, const struct command *c, const char *word);

/* Makes the FIFO, if there is to be one, for the user who runs the command. 0, or the exit code
 * after a message. */
int run_engine__begin(struct run_engine *e, const struct command *c);

/* Once RECORDER reads what strace writes: should it be killed, strace would wait for a reader, and
 * the command with it. 0, or a negative errno. */
int run_engine__watch(struct run_engine *e, pid_t recorder);

/* After the command: calls TELL with each line that strace has said. */
void run_engine__errors(const struct run_engine *e, void (*tell)(void *arg, const char *line),
			void *arg);

/* After the recording: what still runs under strace can go on doing so. */
void run_engine__end(struct run_engine *e);

#endif
