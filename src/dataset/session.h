/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The directory of a session, <out>/<bucket>/<MACHINE_ID>/<stamp>/, and how files in it are named
 * and created. The recorder often runs as root, and other users may be able to write to the parent
 * of <out>: below <out> no symlink is followed. */
#ifndef IOTRC_SESSION_H
#define IOTRC_SESSION_H

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

/* The default of <bucket>. */
#ifdef __APPLE__
#define SESSION_BUCKET "mac_v1"
#else
#define SESSION_BUCKET "linux_v1"
#endif

struct session {
	char *path; /* as <out> was given, without a slash at its end */
	int fd;     /* the directory */
	int lock;   /* session_lock__new(); negative where the file system has no locks */
};

/* Creates the directory of a new session, and <out> if its parent exists. <out> may be a symlink
 * only if that belongs to us, to root or to UID. Existing directories are used; new ones have mode
 * 0750 (minus the umask) and belong to UID:GID (unchanged with -1, and on file systems that cannot
 * change owners). 0, or a negative errno: -ENOENT (no parent), -ENOTDIR or -ELOOP (a file or a
 * symlink in the way), -EINVAL (BUCKET or MACHINE_ID is not a single name), -EACCES, -EROFS,
 * -ENOSPC, ...; on error it does not remove directories that it has created. */
int session__new(struct session **ret, const char *out, const char *bucket, const char *machine_id,
		 uid_t uid, gid_t gid);

/* Whether the session can still be found at its path. */
enum session_place {
	SESSION_THERE,
	SESSION_RENAMED, /* nothing is there, or something else: it was renamed, or mounted over */
	SESSION_UNMOUNTED, /* its file system is mounted nowhere; only our descriptor keeps it */
};
/* Compares S's descriptor with what is at its path now. */
enum session_place session__place(const struct session *s);

/* BUCKET/MACHINE_ID/STAMP, in S's own path. */
const char *session__id(const struct session *s);

/* Closes; the directory stays. Accepts NULL, returns NULL. */
struct session *session__free(struct session *s);

/* The owner of new files: SUDO_UID and SUDO_GID if root runs under sudo, otherwise -1. */
void session__owner(uid_t *ret_uid, gid_t *ret_gid);

/* Changes the owner of FD, which we created, to UID:GID, if the file system allows it. */
void session__give(int fd, uid_t uid, gid_t gid);

/* Opens directory NAME (one component) of PARENT, and creates it if it is missing. Returns the
 * descriptor, or a negative errno. */
int session__enter(int parent, const char *name, uid_t uid, gid_t gid);

/* Creates file NAME (one component) in DIR, with mode 0640, and opens it for reading and writing.
 * -EEXIST if it exists. Returns the descriptor, or a negative errno; on error no file is left. */
int session__create(int dir, const char *name, uid_t uid, gid_t gid);

/* YYYYMMDD_HHMMSS_mmm of the wall clock's time T, in local time. */
#define STAMP_SIZE 20
void session__stamp(char buf[STAMP_SIZE], const struct timespec *t);
/* Whether NAME has that form. */
bool session__is_stamp(const char *name);

#endif
