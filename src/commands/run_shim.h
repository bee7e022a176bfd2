/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The program that strace runs in the command's place, and that then executes the command: this
 * program. strace keeps its stderr open as long as it has something to trace. If that were the
 * command's stderr, a reader of that pipe would wait for every process that outlives the command.
 * So strace gets another stderr, and the command's is passed through a socket to the shim. The shim
 * also reports a command that cannot be executed, with the same message and status as without
 * strace. */
#ifndef IOTRC_RUN_SHIM_H
#define IOTRC_RUN_SHIM_H

#include "commands/run_plan.h"

/* Executes PLAN under strace. Returns only on failure, with a negative errno. */
int run_shim__execute(const struct run_plan *plan);

/* The shim itself: `iotrc run --become SOCKET COMMAND CMD...`. ARGV begins with SOCKET. COMMAND is
 * the command of iotrc whose name precedes the message if CMD cannot be executed. */
_Noreturn void run_shim__become(char **argv);

#endif
