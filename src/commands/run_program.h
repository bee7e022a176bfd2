/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which file a command's name stands for, as execvp() finds it: for where something else is to
 * execute it. */
#ifndef IOTRC_RUN_PROGRAM_H
#define IOTRC_RUN_PROGRAM_H

#include <limits.h>
#include <stdbool.h>

/* Looks NAME up in $PATH, if it has no slash. 0, or the negative errno that execvp() would end
 * with: -ENOENT or -EACCES. */
int run_program__find(const char *name, char ret[PATH_MAX]);

/* Whether PROGRAM is neither of a kernel's format nor a script that names its interpreter:
 * execvp() gives it to the shell. */
bool run_program__is_text(const char *program);

/* The command line by which the shell executes PROGRAM with the arguments of ARGV: what it points
 * to is borrowed. NULL: no memory. */
char **run_program__for_shell(char **argv, char *program);

#endif
