/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a command of iotrc starts. */
#ifndef IOTRC_RUN_PLAN_H
#define IOTRC_RUN_PLAN_H

#include "commands/run_engine.h"
#include "options/command.h"

#define RUN_NOT_FOUND 127 /* statuses of a command that could not be executed, as a shell's */
#define RUN_NOT_EXECUTED 126

struct run_plan {
	const struct command *command;   /* of iotrc, in whose name messages are */
	char **argv;                     /* what is run */
	const struct run_engine *strace; /* traces it; NULL: nothing has to */
};

/* In the child: says on stderr, in the name of C, that NAME was not executed, and ends with the
 * status that errno ERR has in a shell. */
_Noreturn void run_plan__not_executed(const struct command *c, const char *name, int err);

#endif
