// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/run_plan.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

_Noreturn void run_plan__not_executed(const struct command *c, const char *name, int err)
{
	command__cannot(c, "%s: %s", name, strerror(err));
	_exit(err == ENOENT ? RUN_NOT_FOUND : RUN_NOT_EXECUTED);
}
