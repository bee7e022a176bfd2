/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Remembers owner and file system of the directories that lead to a session. Other users may be
 * able to write to some of them. When a session is looked up again by its path, a directory that
 * somebody else has created there must not be accepted. */
#ifndef IOTRC_SESSION_ORIGIN_H
#define IOTRC_SESSION_ORIGIN_H

#include <stdbool.h>
#include <sys/types.h>

#include "dataset/session.h"

struct session_origin;

/* Examines the session in directory FD and the four directories above it. NULL if out of memory, or
 * if the path of <out> is unknown (longer than a page, or no /proc). */
struct session_origin *session_origin__new(int fd);

/* Checks whether the directory of session S has been removed, or (RETURNED) replaced because its
 * disk has come back. Then opens the directory again, without following symlinks; if it was
 * removed, creates it and its parents up to <out>, owned by UID:GID. Each existing directory must
 * have the same owner as before and be on the same file system: the same device, or (for a disk
 * with a new name) the same type and id. The descriptor in S keeps its number. 0: unchanged; 1: a
 * new directory, locked; or a negative errno: -EPERM another owner, -EXDEV another file system,
 * -ELOOP a symlink, -EOPNOTSUPP if O is NULL. */
int session_origin__restore(const struct session_origin *o, struct session *s, bool returned,
			    uid_t uid, gid_t gid);

/* Accepts NULL, returns NULL. */
struct session_origin *session_origin__free(struct session_origin *o);

#endif
