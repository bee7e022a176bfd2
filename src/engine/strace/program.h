/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which program execve() has executed, found in the same way as in the kernel. */
#ifndef IOTRC_STRACE_PROGRAM_H
#define IOTRC_STRACE_PROGRAM_H

#include <limits.h>
#include <stdbool.h>

/* Returns the real path of the program that runs for the absolute path NAME: for a script, that of
 * its interpreter. A file that cannot be read is taken for a program. *RET_SETUID: it has the
 * set-user-ID or the set-group-ID bit. */
void program__find(const char *name, char ret[PATH_MAX], bool *ret_setuid);

#endif
