/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which file a command's name stands for, as execvp() finds it: for where something else is to
 * execute it. */
#ifndef IOTRC_RUN_PROGRAM_H
#define IOTRC_RUN_PROGRAM_H

#include <limits.h>

/* Looks NAME up in $PATH, if it has no slash. 0, or the negative errno that execvp() would end
 * with: -ENOENT or -EACCES. */
int run_program__find(const char *name, char ret[PATH_MAX]);

#endif
