/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a command of iotrc runs. */
#ifndef IOTRC_RUN_PLAN_H
#define IOTRC_RUN_PLAN_H

#include "commands/run_engine.h"
#include "options/command.h"

#define RUN_NOT_FOUND 127 /* statuses of a command that could not be executed, as a shell's */
#define RUN_NOT_EXECUTED 126

struct run_plan {
	const struct command *command;   /* of iotrc: messages begin with its name */
	char **argv;                     /* the command to run */
	const struct run_engine *strace; /* traces it; NULL: no strace */
};

/* In the child: prints for C to stderr that NAME was not executed, and exits with the status that a
 * shell has for errno ERR. */
_Noreturn void run_plan__not_executed(const struct command *c, const char *name, int err);

#endif
