/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which program execve() has executed, as a kernel finds it out. */
#ifndef IOTRC_STRACE_PROGRAM_H
#define IOTRC_STRACE_PROGRAM_H

#include <limits.h>
#include <stdbool.h>

/* The real path of what is executed for absolute path NAME: its interpreter, where it is a script.
 * Where a file can't be read it is taken for a program. *RET_SETUID: it has the set-user-ID bit, or
 * that for the group. */
void program__find(const char *name, char ret[PATH_MAX], bool *ret_setuid);

#endif
