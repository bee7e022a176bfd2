/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files of a workspace that a command used in no way: a report of what it did has no others. */
#ifndef IOTRC_CHECK_UNREAD_H
#define IOTRC_CHECK_UNREAD_H

#include <jansson.h>
#include <sys/types.h>

#include "commands/run_scope.h"

/* A file that is ours, and not of the workspace. */
struct own_file {
	dev_t device;
	ino_t inode;
};

/* Adds to REPORT as `unread`, sorted, the regular files of the workspace that are in none of its
 * lists reads, writes, executed and denied, and its empty directories, which end with a slash. What
 * SCOPE leaves out and the N files of OWN are left out; links are not followed. 0, or a negative
 * errno. */
int check_unread__add(json_t *report, const struct run_scope *scope, const struct own_file *own,
		      size_t n);

#endif
