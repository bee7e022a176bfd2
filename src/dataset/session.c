// SPDX-License-Identifier: GPL-2.0-or-later
/* The directories of a session. */
#include "dataset/session.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataset/session_lock.h"
#include "platform/macros.h"
#include "platform/mounted.h"

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)
#define STAMP_TRIES 1000 /* milliseconds to look for a free name */

void session__stamp(char buf[STAMP_SIZE], const struct timespec *t)
{
	struct tm tm;
	size_t n;

	localtime_r(&t->tv_sec, &tm);
	n = strftime(buf, STAMP_SIZE, "%Y%m%d_%H%M%S", &tm);
	snprintf(buf + n, STAMP_SIZE - n, "_%03u", (unsigned)(t->tv_nsec / 1000000) % 1000);
}

bool session__is_stamp(const char *name)
{
	static const char like[] = "########_######_###";

	for (size_t i = 0; i < sizeof(like); i++)
		if (like[i] == '#' ? name[i] < '0' || name[i] > '9' : name[i] != like[i])
			return false;
	return true;
}

static bool parse_id(const char *name, unsigned *ret_id)
{
	const char *s = getenv(name);
	unsigned long v;
	char *end;

	if (!s || *s < '0' || *s > '9')
		return false;
	errno = 0;
	v = strtoul(s, &end, 10);
	if (errno || *end || v >= (uid_t)-1)
		return false;
	*ret_id = v;
	return true;
}

void session__owner(uid_t *ret_uid, gid_t *ret_gid)
{
	unsigned uid = -1, gid = -1;

	if (geteuid() != 0 || !parse_id("SUDO_UID", &uid) || !parse_id("SUDO_GID", &gid))
		uid = gid = -1;
	*ret_uid = uid;
	*ret_gid = gid;
}

/* In a directory that others can write to, a file that we created may have been replaced before it
 * was opened: change the owner only if it is still ours. File systems without owners (vfat) and NFS
 * refuse this, which does not prevent recording. */
void session__give(int fd, uid_t uid, gid_t gid)
{
	struct stat st;

	if ((uid == (uid_t)-1 && gid == (gid_t)-1) || fstat(fd, &st) < 0 || st.st_uid != geteuid())
		return;
	if (fchown(fd, uid, gid) < 0)
		return;
}

/* For a symlink, O_DIRECTORY|O_NOFOLLOW fails with ENOTDIR, which would be reported as 'not a
 * directory'. */
static int open_dir(int parent, const char *name)
{
	int fd = openat(parent, name, DIR_FLAGS | O_NOFOLLOW), err = errno;
	struct stat st;

	if (fd >= 0)
		return fd;
	if (err == ENOTDIR && fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISLNK(st.st_mode))
		err = ELOOP;
	return -err;
}

int session__enter(int parent, const char *name, uid_t uid, gid_t gid)
{
	bool made = mkdirat(parent, name, 0750) == 0;
	int fd, err;

	if (!made && errno != EEXIST) {
		err = -errno;
		/* A read-only file system, or a parent of another user, refuses mkdir() before it
		 * checks whether the directory exists. */
		fd = open_dir(parent, name);
		return fd >= 0 ? fd : err;
	}
	fd = open_dir(parent, name);
	if (fd >= 0 && made)
		session__give(fd, uid, gid);
	return fd;
}

int session__create(int dir, const char *name, uid_t uid, gid_t gid)
{
	int fd = openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);

	if (fd < 0)
		return -errno;
	session__give(fd, uid, gid);
	return fd;
}

/* Opens the output directory. The user chose its parent, so links in it are followed. The directory
 * itself may be a symlink too, unless another user has created it (as protected_symlinks does in
 * sticky directories, if it is enabled). */
static int enter_out(const char *out, uid_t uid, gid_t gid)
{
	char *copy = strdup(out), *slash, *name;
	int parent, fd;
	struct stat st;

	if (!copy)
		return -ENOMEM;
	slash = strrchr(copy, '/');
	name = slash ? slash + 1 : copy;
	if (slash)
		*slash = 0;
	parent = open(!slash ? "." : slash == copy ? "/" : copy, DIR_FLAGS);
	if (parent < 0) {
		fd = -errno;
		goto out;
	}
	if (!*name || !strcmp(name, ".") || !strcmp(name, "..")) {
		fd = openat(parent, *name ? name : ".", DIR_FLAGS);
		if (fd < 0)
			fd = -errno;
		goto close_parent;
	}
	fd = session__enter(parent, name, uid, gid);
	if (fd != -ELOOP)
		goto close_parent;
	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    (st.st_uid == 0 || st.st_uid == geteuid() || st.st_uid == uid)) {
		fd = openat(parent, name, DIR_FLAGS);
		if (fd < 0)
			fd = -errno;
	}
close_parent:
	close(parent);
out:
	free(copy);
	return fd;
}

enum session_place session__place(const struct session *s)
{
	struct stat here, there;

	if (fstat(s->fd, &here) < 0)
		return SESSION_THERE;
	/* If it cannot be examined (EACCES), it is not reported as gone. */
	if (stat(s->path, &there) < 0 ? errno != ENOENT && errno != ENOTDIR :
					there.st_dev == here.st_dev && there.st_ino == here.st_ino)
		return SESSION_THERE;
	return mounted__is(s->fd) ? SESSION_RENAMED : SESSION_UNMOUNTED;
}

/* A cleanup may have removed the directory, empty and unlocked, before it was locked. Not every
 * file system has locks. */
static bool was_taken(int fd, int *ret_lock)
{
	struct stat st;

	*ret_lock = session_lock__new(fd);
	if (*ret_lock != -EWOULDBLOCK && (fstat(fd, &st) || st.st_nlink))
		return false;
	if (*ret_lock >= 0)
		close(*ret_lock);
	return true;
}

/* Creates the session's directory, which must not exist: two recorders that start in the same
 * millisecond get two directories. */
static int make_stamped(struct session *s, int parent, uid_t uid, gid_t gid, char stamp[STAMP_SIZE])
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	for (int i = 0; i < STAMP_TRIES; i++) {
		session__stamp(stamp, &t);
		if (mkdirat(parent, stamp, 0750) == 0) {
			s->fd = open_dir(parent, stamp);
			if (s->fd >= 0)
				session__give(s->fd, uid, gid);
			if (s->fd >= 0 && !was_taken(s->fd, &s->lock)) {
				if (s->lock >= 0)
					session__give(s->lock, uid, gid);
				return 0;
			}
			if (s->fd < 0 && s->fd != -ENOENT)
				return s->fd;
			if (s->fd >= 0)
				close(s->fd);
		} else if (errno != EEXIST) {
			return -errno;
		}
		t.tv_nsec += 1000000;
		if (t.tv_nsec >= (long)NSEC_PER_SEC) {
			t.tv_nsec -= (long)NSEC_PER_SEC;
			t.tv_sec++;
		}
	}
	return -EEXIST;
}

static bool is_component(const char *name)
{
	return *name && strcmp(name, ".") && strcmp(name, "..") && !strchr(name, '/');
}

static void close_session(struct session *s)
{
	close(s->fd);
	if (s->lock >= 0)
		close(s->lock);
}

int session__new(struct session **ret, const char *out, const char *bucket, const char *machine_id,
		 uid_t uid, gid_t gid)
{
	const char *levels[] = { bucket, machine_id };
	size_t len = strlen(out);
	char stamp[STAMP_SIZE], *base;
	struct session *s;
	int fd, err;

	if (!len)
		return -ENOENT;
	if (!is_component(bucket) || !is_component(machine_id))
		return -EINVAL;
	while (len > 1 && out[len - 1] == '/')
		len--;
	base = strndup(out, len);
	s = calloc(1, sizeof(*s));
	if (!base || !s) {
		err = -ENOMEM;
		goto fail;
	}
	err = fd = enter_out(base, uid, gid);
	for (size_t i = 0; fd >= 0 && i < ARRAY_SIZE(levels); i++) {
		err = session__enter(fd, levels[i], uid, gid);
		close(fd);
		fd = err;
	}
	if (fd < 0)
		goto fail;
	err = make_stamped(s, fd, uid, gid, stamp);
	close(fd);
	if (err)
		goto fail;
	if (asprintf(&s->path, "%s/%s/%s/%s", !strcmp(base, "/") ? "" : base, bucket, machine_id,
		     stamp) < 0) {
		close_session(s);
		err = -ENOMEM;
		goto fail;
	}
	free(base);
	*ret = s;
	return 0;
fail:
	free(base);
	free(s);
	return err;
}

const char *session__id(const struct session *s)
{
	const char *id = s->path + strlen(s->path);

	for (int parts = 0; id > s->path && (id[-1] != '/' || ++parts < 3); id--)
		;
	return id;
}

struct session *session__free(struct session *s)
{
	if (s) {
		close_session(s);
		free(s->path);
		free(s);
	}
	return NULL;
}
