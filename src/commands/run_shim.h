/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What strace runs in the command's place, and what becomes the command: this program.
 *
 * strace keeps its stderr open for as long as it has something to trace. Were that the command's,
 * whoever reads it through a pipe would wait for every process that outlives the command. So strace
 * has another one, and the command's waits in a socket, where the shim takes it out. And what can't
 * be executed is told of by us, in the words and with the status that it has without strace. */
#ifndef IOTRC_RUN_SHIM_H
#define IOTRC_RUN_SHIM_H

#include "commands/run_plan.h"

/* Executes what is planned as strace's child. Returns only when that can't be done: a negative
 * errno. */
int run_shim__execute(const struct run_plan *plan);

/* The shim itself: `iotrc run --become SOCKET COMMAND CMD...`, of which ARGV begins with SOCKET.
 * COMMAND is iotrc's, in whose name it is told that CMD can't be executed. */
_Noreturn void run_shim__become(char **argv);

#endif
