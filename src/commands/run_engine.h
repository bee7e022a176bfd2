/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which engine `iotrc run` records with, and what strace needs. */
#ifndef IOTRC_RUN_ENGINE_H
#define IOTRC_RUN_ENGINE_H

#include <stdbool.h>
#include <sys/types.h>

#include "options/command.h"

struct run_engine {
	const char *name;  /* of an engine */
	const char *other; /* the one to take if NAME can't start, or NULL */
	const char *why;   /* why it was chosen, or NULL: the user requested it */
	char *fifo;        /* that strace writes to, or NULL */
	char *errors;      /* the file with strace's own messages */
	char *dir;         /* where it is */
	int fd;            /* its reading end, or negative */
	pid_t recorder;
};

/* Chooses the engine that WORD names: "bpf", "strace", "eslogger", "fs_usage"; "macos", which is
 * eslogger, with fs_usage as the other one; or "auto" (also NULL), which is macos on macOS,
 * elsewhere bpf if we have the privileges, otherwise strace. Returns 0, or the exit code after a
 * message in the name of command C. */
int run_engine__choose(struct run_engine *e, const struct command *c, const char *word);

/* The engine could not start: takes the other one. False if there is none. */
bool run_engine__take_other(struct run_engine *e);

/* Creates the FIFO, if one is needed, for the user who runs the command. Returns 0, or the exit
 * code after a message. */
int run_engine__begin(struct run_engine *e, const struct command *c);

/* To be called once RECORDER reads what strace writes: if it is killed, strace would wait for a
 * reader, and the command with it. Returns 0, or a negative errno. */
int run_engine__watch(struct run_engine *e, pid_t recorder);

/* After the command: calls TELL with each message of strace. */
void run_engine__errors(const struct run_engine *e, void (*tell)(void *arg, const char *line),
			void *arg);

/* After the recording: processes that still run under strace can continue. */
void run_engine__end(struct run_engine *e);

#endif
