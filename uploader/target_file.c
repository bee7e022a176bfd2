// SPDX-License-Identifier: GPL-2.0-or-later
/* A mounted share: the file gets its name by rename when it is complete and synced. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/write_all.h"
#include "dataset/session.h"
#include "platform/libc.h"
#include "platform/macros.h"
#include "platform/page_cache.h"
#include "uploader/target_kind.h"

#define SCHEME "file://"
#define CHUNK (UINT64_C(1) << 20)

struct file_target {
	struct target target;
	char *dir;
	uint64_t rate;
	uid_t uid; /* owner of the copies, as for sessions; -1: unchanged */
	gid_t gid;
};

/* Whether a failed call on the share may succeed later. */
static const struct {
	int err;
	enum target_verdict verdict;
	bool general;
	const char *advice;
} errors[] = {
	{ ENOENT, TARGET_REFUSED, true, ": is the share mounted?" },
	{ ENOTDIR, TARGET_REFUSED, false, "" },
	{ ELOOP, TARGET_REFUSED, false, ": there is a symlink, and symlinks are not followed" },
	{ EACCES, TARGET_REFUSED, true, "" },
	{ EPERM, TARGET_REFUSED, true, "" },
	{ EROFS, TARGET_REFUSED, true, "" },
	{ ENAMETOOLONG, TARGET_REFUSED, false, "" },
	{ EFBIG, TARGET_REFUSED, false, "" },
};

static void failed(struct target_result *r, int err, const char *what, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
		if (errors[i].err == -err) {
			target__result(r, errors[i].verdict, errors[i].general,
				       "can't %s %.200s: %s%s", what, name, strerror(-err),
				       errors[i].advice);
			return;
		}
	/* No space, no answer (EIO, ESTALE, ETIMEDOUT of a network file system), no memory. */
	target__result(r, TARGET_RETRY, true, "can't %s %.200s: %s", what, name, strerror(-err));
}

static int file_new(struct target **ret, const struct target_config *config,
		    char problem[TARGET_REASON_MAX])
{
	const char *dir = config->url + strlen(SCHEME);
	struct file_target *t;

	if (*dir != '/') {
		target__say(problem, "'%.100s' names no directory: file:///DIRECTORY", config->url);
		return -EINVAL;
	}
	t = calloc(1, sizeof(*t));
	if (!t || !(t->dir = strdup(dir))) {
		free(t);
		target__say(problem, "out of memory");
		return -ENOMEM;
	}
	t->target.kind = &target_file;
	t->rate = config->rate;
	session__owner(&t->uid, &t->gid);
	*ret = &t->target;
	return 0;
}

static void file_free(struct target *target)
{
	struct file_target *t = (struct file_target *)target;

	free(t->dir);
	free(t);
}

/* EINVAL: a filesystem whose directories can't be synced. */
static int sync_dir(int dir)
{
	return fsync(dir) < 0 && errno != EINVAL ? -errno : 0;
}

/* Opens the directory of KEY below that of the target. The target directory itself is never
 * created, because it is the mount point of a share. A new directory is synced before files are
 * created in it. */
static int enter(const struct file_target *t, const char *key)
{
	int dir = open(t->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char name[NAME_MAX + 1];

	if (dir < 0)
		return -errno;
	for (const char *slash; (slash = strchr(key, '/')); key = slash + 1) {
		size_t len = slash - key;
		int next, err;

		next = len <= NAME_MAX ? 0 : -ENAMETOOLONG;
		if (!next) {
			memcpy(name, key, len);
			name[len] = 0;
			next = session__enter(dir, name, t->uid, t->gid);
		}
		err = next < 0 ? next : sync_dir(dir);
		close(dir);
		if (err) {
			if (next >= 0)
				close(next);
			return err;
		}
		dir = next;
	}
	return dir;
}

/* The name of an incomplete copy, so that a killed process leaves at most one behind. It is locked:
 * the second of two gets -EBUSY. */
static int open_part(int dir, const char *name)
{
	struct stat st = { 0 }, now;
	int fd;

	for (int tries = 0; tries < 3; tries++) {
		fd = openat(dir, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
			    0640);
		if (fd < 0)
			return -errno;
		/* Shares without locks (ENOLCK, EOPNOTSUPP) are used without. */
		if (flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK) {
			close(fd);
			return -EBUSY;
		}
		/* The previous holder has renamed it meanwhile, or somebody has linked our partial
		 * copy to a file of another name. */
		if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1 &&
		    fstatat(dir, name, &now, AT_SYMLINK_NOFOLLOW) == 0 && st.st_dev == now.st_dev &&
		    st.st_ino == now.st_ino) {
			if (ftruncate(fd, 0) == 0)
				return fd;
			close(fd);
			return -errno;
		}
		if (S_ISREG(st.st_mode) && st.st_nlink > 1)
			unlinkat(dir, name, 0);
		close(fd);
	}
	return -EBUSY;
}

/* Lets the file system copy if it can (a clone, or a copy within the server), otherwise copies the
 * data. */
static ssize_t copy_chunk(int from, int to, uint64_t at, size_t len, char *buf)
{
	off64_t in = at, out = at;
	ssize_t n = copy_file_range(from, &in, to, &out, len, 0);
	int err;

	if (n > 0)
		return n;
	n = pread(from, buf, len, at);
	if (n <= 0)
		return n < 0 ? -errno : -ENODATA;
	err = write_all(to, buf, n, at);
	return err ? err : n;
}

static void wait_until(uint64_t until_ns)
{
	for (uint64_t now; (now = clock__mono_ns()) < until_ns;)
		clock__sleep(until_ns - now);
}

/* Spreads the bytes of an object over time. */
struct spread {
	uint64_t rate; /* bytes per second; 0: no limit */
	uint64_t from; /* bytes sent before this rate applied */
	uint64_t since_ns;
};

/* Bytes of the next piece, which takes at most half a second, so that progress() is called. */
static uint64_t piece(struct spread *s, uint64_t rate, uint64_t at)
{
	if (rate != s->rate) {
		s->rate = rate;
		s->from = at;
		s->since_ns = clock__mono_ns();
	}
	return rate && rate / 2 < CHUNK ? rate / 2 + 1 : CHUNK;
}

static int copy(const struct file_target *t, const struct target_object *object, int to,
		const struct target_hooks *hooks)
{
	struct spread spread = { 0 };
	uint64_t at = 0;
	char *buf = malloc(CHUNK);
	int err = buf ? 0 : -ENOMEM;

	while (!err && at < object->size) {
		uint64_t most = piece(&spread, target_hooks__rate(hooks, t->rate), at);
		uint64_t len = object->size - at < most ? object->size - at : most;
		ssize_t n = copy_chunk(object->fd, to, at, len, buf);

		if (n < 0) {
			err = (int)n;
			break;
		}
		at += n;
		if (spread.rate)
			wait_until(spread.since_ns +
				   (uint64_t)((unsigned __int128)(at - spread.from) * NSEC_PER_SEC /
					      spread.rate));
		if (!target_hooks__progress(hooks, at))
			err = -ECANCELED;
	}
	free(buf);
	if (!err && fsync(to) < 0)
		err = -errno;
	return err;
}

/* Reads the copy back. Its pages are dropped from the page cache first, so that it comes from the
 * disk or server as far as the file system allows. */
static int read_back(int fd, const struct target_object *object, const struct checksums *sums,
		     const struct target_hooks *hooks)
{
	struct checksums now;
	struct stat st;
	int err;

	if (fstat(fd, &st) < 0)
		return -errno;
	if ((uint64_t)st.st_size != object->size)
		return -EBADMSG;
	page_cache__drop(fd);
	err = checksums__file(&now, fd, 0, object->size, object->size, hooks);
	if (!err && strcmp(now.sha256, sums->sha256))
		err = -EBADMSG;
	return err;
}

/* Whether NAME in DIR is the file that is to be copied: then no copy is needed. */
static bool is_itself(int dir, const char *name, int fd)
{
	struct stat there, here;

	return fstatat(dir, name, &there, AT_SYMLINK_NOFOLLOW) == 0 && fstat(fd, &here) == 0 &&
	       there.st_dev == here.st_dev && there.st_ino == here.st_ino;
}

static void put_into(const struct file_target *t, int dir, const char *name,
		     const struct target_object *object, const struct checksums *sums,
		     const struct target_hooks *hooks, struct target_result *r)
{
	char part[NAME_MAX + 1];
	int fd, err;

	if (is_itself(dir, name, object->fd)) {
		target__result(r, TARGET_REFUSED, true, "%.200s already contains these files",
			       t->dir);
		return;
	}
	if (snprintf(part, sizeof(part), ".%s.part", name) >= (int)sizeof(part)) {
		failed(r, -ENAMETOOLONG, "make", name);
		return;
	}
	fd = open_part(dir, part);
	if (fd < 0) {
		failed(r, fd, "make", part);
		return;
	}
	session__give(fd, t->uid, t->gid);
	err = copy(t, object, fd, hooks);
	if (!err)
		err = read_back(fd, object, sums, hooks);
	if (!err && renameat(dir, part, dir, name) < 0)
		err = -errno;
	if (err)
		unlinkat(dir, part, 0);
	else
		err = sync_dir(dir);
	close(fd);
	if (err == -ECANCELED)
		target__result(r, TARGET_CANCELLED, false, "cancelled");
	else if (err == -EBADMSG)
		target__result(r, TARGET_RETRY, false,
			       "what %.200s contains is not what was written", t->dir);
	else if (err == -ENODATA)
		target__result(r, TARGET_LOCAL, false, "the file has been truncated");
	else if (err)
		failed(r, err, "copy to", name);
	else
		target__result(r, TARGET_DONE, false, "%s", "");
}

static void file_put(struct target *target, const struct target_object *object,
		     const struct checksums *sums, const struct target_hooks *hooks,
		     struct target_result *r)
{
	const struct file_target *t = (struct file_target *)target;
	const char *slash = strrchr(object->key, '/');
	int dir = enter(t, object->key);

	if (dir < 0) {
		failed(r, dir, "open", t->dir);
		return;
	}
	put_into(t, dir, slash ? slash + 1 : object->key, object, sums, hooks, r);
	close(dir);
}

/* It was read back when it was put. Removes directories that were created for it, if they are
 * empty. */
static void file_check(struct target *target, const struct target_object *object,
		       const struct checksums *sums, const struct target_hooks *hooks,
		       struct target_result *r)
{
	const struct file_target *t = (struct file_target *)target;
	char path[TARGET_KEY_MAX + 1];
	int dir = open(t->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), flags = 0;

	snprintf(path, sizeof(path), "%s", object->key);
	for (char *slash; dir >= 0 && unlinkat(dir, path, flags) == 0; *slash = 0) {
		flags = AT_REMOVEDIR;
		slash = strrchr(path, '/');
		if (!slash)
			break;
	}
	if (dir < 0 || !flags)
		target__result(r, TARGET_DONE, true,
			       "the test file %.300s could not be deleted: %s", path,
			       strerror(errno));
	if (dir >= 0)
		close(dir);
}

const struct target_kind target_file = {
	.new = file_new,
	.free = file_free,
	.put = file_put,
	.check = file_check,
};
