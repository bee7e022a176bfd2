/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds the file of a command's name like execvp(), for a program that is executed by another
 * one. */
#ifndef IOTRC_RUN_PROGRAM_H
#define IOTRC_RUN_PROGRAM_H

#include <limits.h>

/* Looks up NAME in $PATH, unless it contains a slash. Returns 0, or the negative errno of execvp():
 * -ENOENT or -EACCES. */
int run_program__find(const char *name, char ret[PATH_MAX]);

#endif
