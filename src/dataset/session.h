/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a session lives: <out>/<bucket>/<MACHINE_ID>/<stamp>/, and the naming and making of what
 * lies in it. The recorder often runs as root and <out> may lie in a directory that others write
 * to: below <out> nothing is reached through a symlink. */
#ifndef IOTRC_SESSION_H
#define IOTRC_SESSION_H

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

struct session {
	char *path; /* as <out> was given, without a slash at its end */
	int fd;     /* the directory */
};

/* Makes the directory of a new session. <out> itself is made when its parent is there; it may be a
 * symlink only of our own, of root's or of UID's. What exists is used as it is; what is made has
 * mode 0750 (less the umask) and belongs to UID:GID (-1 leaves it, as does a file system that
 * cannot change owners). 0, or a negative errno: -ENOENT (no parent), -ENOTDIR or -ELOOP (a file or
 * a symlink in the way), -EINVAL (BUCKET or MACHINE_ID is no single name), -EACCES, -EROFS,
 * -ENOSPC, ...; nothing that it made is taken away again. */
int session__new(struct session **ret, const char *out, const char *bucket, const char *machine_id,
		 uid_t uid, gid_t gid);

/* Says that the session in directory FD is in use, for as long as FD is open: whoever wants to
 * repair, upload or remove it does the same first. session__new() has done it. 0, -EWOULDBLOCK:
 * somebody else uses it; or another negative errno where a file system has no locks. */
int session__lock(int fd);

/* Whether somebody uses the session in directory FD, or a file system without locks can't tell. */
bool session__in_use(int fd);

/* Where the session is for somebody who looks for it at its path. */
enum session_place {
	SESSION_THERE,
	SESSION_RENAMED, /* nothing is there, or something else: it was renamed, or mounted over */
	SESSION_UNMOUNTED, /* its file system is mounted nowhere; only our descriptor keeps it */
};
enum session_place session__place(const struct session *s);

/* BUCKET/MACHINE_ID/STAMP, in S's own path. */
const char *session__id(const struct session *s);

/* Closes; the directory stays. Accepts NULL, returns NULL. */
struct session *session__free(struct session *s);

/* Whom new files belong to: SUDO_UID and SUDO_GID when root runs under sudo, otherwise -1. */
void session__owner(uid_t *ret_uid, gid_t *ret_gid);

/* Gives FD, which we have made, to UID:GID as far as the file system lets us. */
void session__give(int fd, uid_t uid, gid_t gid);

/* Opens directory NAME (one component) of PARENT, made when missing. The descriptor, or
 * a negative errno. */
int session__enter(int parent, const char *name, uid_t uid, gid_t gid);

/* Creates file NAME (one component) in DIR, which must not be there: mode 0640, read and write.
 * The descriptor, or a negative errno; on error no file is left. */
int session__create(int dir, const char *name, uid_t uid, gid_t gid);

/* YYYYMMDD_HHMMSS_mmm of the wall clock's time T, in local time. */
#define STAMP_SIZE 20
void session__stamp(char buf[STAMP_SIZE], const struct timespec *t);
bool session__is_stamp(const char *name);

#endif
