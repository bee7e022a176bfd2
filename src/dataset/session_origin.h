/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the directories that lead to a session were when it began: on which file system, and whose.
 * Others may write to some of them. Where a session is looked for again by its path, a directory
 * that somebody has put there meanwhile must not pass for the one that was there. */
#ifndef IOTRC_SESSION_ORIGIN_H
#define IOTRC_SESSION_ORIGIN_H

#include <stdbool.h>
#include <sys/types.h>

#include "dataset/session.h"

struct session_origin;

/* Looks at the session in directory FD and at the four directories above it. NULL when memory is
 * out, or <out>'s path can't be known (longer than a page, no /proc). */
struct session_origin *session_origin__new(int fd);

/* Looks whether the directory of session S has been removed, or (RETURNED) is another one now, on
 * a disk that has come back: then opens it anew, through no symlink. Where it was removed, what is
 * missing of it is made for UID:GID, <out> included. Each directory on the way must belong to whom
 * it belonged, and lie on the file system that it lay on: the same device, or (a disk that came
 * back by another name) one of the same type and id. S's descriptor keeps its number. 0: all is as
 * it was, 1: it is another directory now, locked, or a negative errno: -EPERM somebody else's,
 * -EXDEV another file system, -ELOOP a symlink, -EOPNOTSUPP where O is NULL. */
int session_origin__restore(const struct session_origin *o, struct session *s, bool returned,
			    uid_t uid, gid_t gid);

/* Accepts NULL, returns NULL. */
struct session_origin *session_origin__free(struct session_origin *o);

#endif
