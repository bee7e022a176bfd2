// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataset/session_origin.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataset/session.h"
#include "dataset/session_lock.h"
#include "platform/fd_path.h"
#include "platform/file_system.h"
#include "platform/libc.h"
#include "platform/open_real.h"

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

/* <parent>/<out>/<bucket>/<machine id>/<stamp> */
enum level { PARENT, OUT, BUCKET, MACHINE, SESSION, LEVELS };

struct place {
	uid_t owner;
	struct file_system fs;
};

struct session_origin {
	struct place places[LEVELS];
	char out[FD_PATH_SIZE];  /* absolute, without symlinks */
	char names[LEVELS][256]; /* of the three below <out> */
};

static int find_place(int fd, struct place *ret)
{
	struct place p;
	struct stat st;
	int err = fstat(fd, &st) < 0 ? -errno : file_system__of(fd, &p.fs);

	if (err)
		return err;
	p.owner = st.st_uid;
	*ret = p;
	return 0;
}

/* FD, or a negative errno, with FD closed. */
static int check(const struct session_origin *o, enum level level, int fd)
{
	struct place now;
	int err = fd < 0 ? fd : find_place(fd, &now);

	if (!err && !file_system__is_same(&now.fs, &o->places[level].fs))
		err = -EXDEV;
	else if (!err && now.owner != o->places[level].owner)
		err = -EPERM;
	if (!err)
		return fd;
	if (fd >= 0)
		close(fd);
	return err;
}

static int look_upwards(struct session_origin *o, int session)
{
	char path[FD_PATH_SIZE];
	int fd = fcntl(session, F_DUPFD_CLOEXEC, 0), err = fd < 0 ? -errno : 0, up;

	for (int level = SESSION; !err; level--) {
		err = find_place(fd, &o->places[level]);
		if (!err && level > OUT) {
			err = fd_path__get(fd, path);
			if (!err)
				snprintf(o->names[level], sizeof(*o->names), "%s",
					 strrchr(path, '/') + 1);
		} else if (!err && level == OUT) {
			err = fd_path__get(fd, o->out);
		}
		if (err || level == PARENT)
			break;
		up = openat(fd, "..", DIR_FLAGS);
		err = up < 0 ? -errno : 0;
		close(fd);
		fd = up;
	}
	if (fd >= 0)
		close(fd);
	return err;
}

struct session_origin *session_origin__new(int fd)
{
	struct session_origin *o = calloc(1, sizeof(*o));

	return o && look_upwards(o, fd) ? session_origin__free(o) : o;
}

struct session_origin *session_origin__free(struct session_origin *o)
{
	free(o);
	return NULL;
}

/* Creates <out> again in its parent. */
static int make_out(const struct session_origin *o, uid_t uid, gid_t gid)
{
	char path[FD_PATH_SIZE], *slash;
	int parent, fd;

	memcpy(path, o->out, sizeof(path));
	slash = strrchr(path, '/');
	*slash = 0;
	parent = check(o, PARENT, open_real__dir(*path ? path : "/"));
	if (parent < 0)
		return parent;
	fd = session__enter(parent, slash + 1, uid, gid);
	close(parent);
	return fd;
}

/* Opens NAME in DIR; it may be missing, but must not be a symlink. */
static int open_below(int dir, const char *name)
{
	int fd = openat(dir, name, DIR_FLAGS | O_NOFOLLOW);

	return fd < 0 ? -errno : fd;
}

static int open_again(const struct session_origin *o, bool make, uid_t uid, gid_t gid)
{
	int fd = open_real__dir(o->out);

	if (fd == -ENOENT && make)
		fd = make_out(o, uid, gid);
	fd = check(o, OUT, fd);
	for (enum level level = BUCKET; fd >= 0 && level < LEVELS; level++) {
		int above = fd;

		fd = make ? session__enter(above, o->names[level], uid, gid) :
			    open_below(above, o->names[level]);
		close(above);
		fd = check(o, level, fd);
	}
	return fd;
}

int session_origin__restore(const struct session_origin *o, struct session *s, bool returned,
			    uid_t uid, gid_t gid)
{
	struct stat old, new;
	int fd, lock, ret;

	if (fstat(s->fd, &old) < 0 || (old.st_nlink && !returned))
		return 0;
	fd = o ? open_again(o, !old.st_nlink, uid, gid) : -EOPNOTSUPP;
	if (fd < 0)
		return fd;
	if (fstat(fd, &new) == 0 && new.st_dev == old.st_dev &&new.st_ino == old.st_ino) {
		close(fd);
		return 0;
	}
	lock = old.st_nlink ? -EWOULDBLOCK : session_lock__new(fd);
	if (lock == -EWOULDBLOCK) /* a previous attempt has created a lock file */
		lock = session_lock__take(fd, SESSION_LOCK_CHANGE);
	ret = lock == -EWOULDBLOCK ? lock : dup3(fd, s->fd, O_CLOEXEC) < 0 ? -errno : 1;
	close(fd);
	if (lock >= 0)
		session__give(lock, uid, gid);
	if (ret > 0) {
		int old_lock = s->lock;

		s->lock = lock;
		lock = old_lock;
	}
	if (lock >= 0)
		close(lock);
	return ret;
}
