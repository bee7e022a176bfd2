/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The engine with which `iotrc run` records, and what strace needs. */
#ifndef IOTRC_RUN_ENGINE_H
#define IOTRC_RUN_ENGINE_H

#include <stdbool.h>
#include <sys/types.h>

#include "options/command.h"

struct run_engine {
	const char *name;  /* of an engine */
	const char *other; /* the one to try if NAME cannot start, or NULL */
	const char *why;   /* why it was chosen, or NULL: the user requested it */
	char *fifo;        /* for strace's output, or NULL */
	char *errors;      /* the file with strace's own messages */
	char *dir;         /* the directory of both */
	int fd;            /* the FIFO's reading end, or negative */
	pid_t recorder;
};

/* Chooses the engine that WORD names: "bpf", "strace", "eslogger", "fs_usage"; "macos", which is
 * eslogger, with fs_usage as the other one; or "auto" (also NULL), which is macos on macOS,
 * elsewhere bpf if we have the privileges, otherwise strace. Returns 0, or the exit code after a
 * message in the name of command C. */
int run_engine__choose(struct run_engine *e, const struct command *c, const char *word);

/* After a failed start: takes the other engine. Returns false if there is none. */
bool run_engine__take_other(struct run_engine *e);

/* Creates the FIFO, if one is needed, for the user who runs the command. Returns 0, or the exit
 * code after a message. */
int run_engine__begin(struct run_engine *e, const struct command *c);

/* To be called once RECORDER reads strace's output. If it is killed, this keeps strace, and with it
 * the command, from waiting for a reader. Returns 0, or a negative errno. */
int run_engine__watch(struct run_engine *e, pid_t recorder);

/* After the command: calls TELL with each message of strace. */
void run_engine__errors(const struct run_engine *e, void (*tell)(void *arg, const char *line),
			void *arg);

/* After the recording: lets processes that still run under strace continue. */
void run_engine__end(struct run_engine *e);

#endif
