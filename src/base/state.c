// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/state.h"
#include "platform/libc.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

static bool is_private(const struct stat *st)
{
	return st->st_uid == geteuid() && !(st->st_mode & 077);
}

static int default_dir(char path[PATH_MAX])
{
	const char *xdg = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	int n;

	if (geteuid() == 0)
		n = snprintf(path, PATH_MAX, "/var/lib/iotrc");
	else if (xdg && *xdg == '/')
		n = snprintf(path, PATH_MAX, "%s/iotrc", xdg);
	else if (home && *home == '/')
		n = snprintf(path, PATH_MAX, "%s/.local/state/iotrc", home);
	else
		return -ENOENT;
	return n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* Opens the parents of the state directory, which may belong to anybody, and creates missing
 * ones. */
static void make_parents(char *path)
{
	for (char *s = path + 1; (s = strchr(s, '/')); s++) {
		*s = 0;
		mkdir(path, 0755);
		*s = '/';
	}
}

int state__open(const char *dir)
{
	char path[PATH_MAX];
	struct stat st;
	size_t len;
	int fd;

	if (dir && snprintf(path, sizeof(path), "%s", dir) >= PATH_MAX)
		return -ENAMETOOLONG;
	if (!dir && default_dir(path))
		return default_dir(path);
	len = strlen(path);
	while (len > 1 && path[len - 1] == '/')
		path[--len] = 0;
	make_parents(path);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = open(path, DIR_FLAGS | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && is_private(&st))
		return fd;
	close(fd);
	return -EPERM;
}

static int read_secret(int dir, const char *name, unsigned char *ret, size_t size)
{
	unsigned char buf[4096];
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), err = 0;
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		err = -errno;
	else if (!S_ISREG(st.st_mode) || !is_private(&st))
		err = -EPERM;
	else if (size > sizeof(buf) || st.st_size != (off_t)size ||
		 read(fd, buf, size) != (ssize_t)size)
		err = -EINVAL;
	if (!err)
		memcpy(ret, buf, size);
	explicit_bzero(buf, sizeof(buf));
	close(fd);
	return err;
}

/* The file gets its name only after it is complete and synced; if two processes create it, the
 * first one wins. */
static int make_secret(int dir, const char *name, size_t size)
{
	unsigned char buf[4096];
	char temporary[64];
	int fd, err = 0;

	if (size > sizeof(buf) || getrandom(buf, size, 0) != (ssize_t)size)
		return -EIO;
	snprintf(temporary, sizeof(temporary), ".new.%d", (int)getpid());
	unlinkat(dir, temporary, 0);
	fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (write(fd, buf, size) != (ssize_t)size || fsync(fd) < 0)
		err = errno ? -errno : -EIO;
	explicit_bzero(buf, sizeof(buf));
	close(fd);
	if (!err && linkat(dir, temporary, dir, name, 0) < 0 && errno != EEXIST)
		err = -errno;
	unlinkat(dir, temporary, 0);
	if (!err && fsync(dir) < 0 && errno != EINVAL)
		err = -errno;
	return err;
}

int state__secret(int dir, const char *name, unsigned char *ret, size_t size)
{
	int err = read_secret(dir, name, ret, size);

	if (err == -ENOENT) {
		err = make_secret(dir, name, size);
		if (!err)
			err = read_secret(dir, name, ret, size);
	}
	return err;
}

int state__mark(int dir, const char *name)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600),
	    err;

	if (fd < 0)
		return -errno;
	err = fsync(fd) < 0 || fsync(dir) < 0 ? -errno : 0;
	close(fd);
	return err;
}

bool state__marked(int dir, const char *name)
{
	struct stat st;

	return !fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) && S_ISREG(st.st_mode);
}

int state__temporary(int dir)
{
	char name[64];
	int fd = openat(dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0)
		return fd;
	/* Not every file system supports O_TMPFILE. */
	snprintf(name, sizeof(name), ".tmp.%d", (int)gettid());
	unlinkat(dir, name, 0);
	fd = openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	unlinkat(dir, name, 0);
	return fd;
}
