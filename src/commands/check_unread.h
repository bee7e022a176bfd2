/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds the files of a workspace that a command did not use, which are not in its report. */
#ifndef IOTRC_CHECK_UNREAD_H
#define IOTRC_CHECK_UNREAD_H

#include <jansson.h>
#include <sys/types.h>

#include "commands/run_scope.h"

/* A file that iotrc itself uses, which is not part of the workspace. */
struct own_file {
	dev_t device;
	ino_t inode;
};

/* Adds to REPORT as `unread`, sorted, the regular files of the workspace that are in none of the
 * lists reads, writes, executed and denied, and empty directories with a trailing slash. Files
 * excluded by SCOPE and the N files of OWN are left out; symlinks are not followed. Returns 0, or a
 * negative errno. */
int check_unread__add(json_t *report, const struct run_scope *scope, const struct own_file *own,
		      size_t n);

#endif
