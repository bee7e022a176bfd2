// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/reap.h"
#include "platform/libc.h"

/* Only this user, root, and the user who called sudo. */
static bool is_callers(const struct stat *st)
{
	const char *sudo = geteuid() == 0 ? getenv("SUDO_UID") : NULL;
	char *end;

	if (st->st_uid == geteuid() || st->st_uid == 0)
		return true;
	return sudo && *sudo && st->st_uid == strtoul(sudo, &end, 10) && !*end;
}

/* Opens a file for writing. In a directory that others can write to, an existing file of that name
 * may be a link to a file elsewhere, a FIFO without a reader, or another user's file; these are
 * refused. Returns a negative errno on failure. */
static int open_plain(int dir, const char *name, int flags, mode_t mode)
{
	int fd = openat(dir, name, flags | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
			mode);
	struct stat st;
	int err;

	if (fd < 0)
		return -errno;
	err = fstat(fd, &st)                          ? -errno :
	      S_ISREG(st.st_mode) && st.st_nlink != 1 ? -EMLINK :
	      S_ISREG(st.st_mode) && !is_callers(&st) ? -EPERM :
							0;
	if (!err)
		return fd;
	close(fd);
	return err;
}

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Opens the directory of PATH and keeps it open, so that a file opened again later is in the same
 * directory. Returns a negative errno on failure. */
static int open_dir_of(const char *path)
{
	size_t len = name_of(path) - path;
	char *dir = len ? strndup(path, len) : strdup(".");
	int fd = dir ? open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;

	fd = !dir ? -ENOMEM : fd < 0 ? -errno : fd;
	free(dir);
	return fd;
}

/* ---- the pid file ---- */

static bool is_still(int dir, const char *name, int fd)
{
	struct stat there, here;

	return !fstatat(dir, name, &there, AT_SYMLINK_NOFOLLOW) && !fstat(fd, &here) &&
	       there.st_dev == here.st_dev && there.st_ino == here.st_ino;
}

/* A write lock needs a descriptor that is open for writing (fcntl(2)), which other users do not
 * get, so its holder is a recorder. Anybody who can read the file can hold a read lock. Returns 0
 * if locked, -EBUSY if a recorder holds it, -EAGAIN if somebody else is in the way. */
static int lock_pid_file(int fd, pid_t *ret_other)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (!fcntl(fd, F_SETLK, &lock))
		return 0;
	if (errno != EAGAIN && errno != EACCES)
		return -errno;
	if (fcntl(fd, F_GETLK, &lock) || lock.l_type != F_WRLCK)
		return -EAGAIN;
	*ret_other = lock.l_pid;
	return -EBUSY;
}

static int write_pid(int fd)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%d\n", getpid());

	return ftruncate(fd, 0) || write(fd, text, n) != n || fchmod(fd, 0644) ? -errno : 0;
}

/* One attempt to lock the pid file; -EAGAIN: try again. Nobody else may open it before it is
 * locked. */
static int try_pid_file(struct daemon *d, const char *name, pid_t *ret_other)
{
	int fd = open_plain(d->pid_dir, name, O_RDWR, 0600), err;
	struct stat st;

	if (fd < 0)
		return fd;
	err = fstat(fd, &st) ? -errno : st.st_mode & 022 ? -EPERM : lock_pid_file(fd, ret_other);
	if (err == -EAGAIN && is_still(d->pid_dir, name, fd))
		unlinkat(d->pid_dir, name, 0);
	else if (!err && !is_still(d->pid_dir, name, fd))
		err = -EAGAIN;
	if (!err)
		err = write_pid(fd);
	if (err)
		close(fd);
	else
		d->pid_fd = fd;
	return err;
}

#define TRIES 16

/* The lock decides, not the file: a dead process holds no lock. */
static int take_pid_file(struct daemon *d, pid_t *ret_other)
{
	int err = -EAGAIN;

	d->pid_dir = open_dir_of(d->pid_file);
	if (d->pid_dir < 0)
		return d->pid_dir;
	for (int i = 0; i < TRIES && err == -EAGAIN; i++)
		err = try_pid_file(d, name_of(d->pid_file), ret_other);
	return err;
}

/* The parent's part. */
static void await_child(int fd, pid_t child)
{
	char byte;
	int status;
	ssize_t n;

	do
		n = read(fd, &byte, 1);
	while (n < 0 && errno == EINTR);
	if (n == 1)
		_exit(0);
	status = reap(child);
	if (status >= 0 && WIFEXITED(status))
		_exit(WEXITSTATUS(status));
	_exit(1);
}

int daemon__begin(struct daemon *d, const char *pid_file, const char *log_file, pid_t *ret_other)
{
	int fds[2];
	pid_t child;

	*d = (struct daemon){
		.pid_file = pid_file,
		.log_file = log_file,
		.pid_dir = -1,
		.pid_fd = -1,
		.log_dir = -1,
		.parent_fd = -1,
	};
	if (pipe2(fds, O_CLOEXEC))
		return -EPIPE;
	child = fork();
	if (child < 0)
		return -EPIPE;
	if (child) {
		close(fds[1]);
		await_child(fds[0], child);
	}
	close(fds[0]);
	d->parent_fd = fds[1];
	setsid();
	return pid_file ? take_pid_file(d, ret_other) : 0;
}

static int open_log(struct daemon *d)
{
	int fd, err = 0;

	if (d->log_file && d->log_dir < 0)
		d->log_dir = open_dir_of(d->log_file);
	if (!d->log_file)
		fd = open_plain(AT_FDCWD, "/dev/null", O_WRONLY, 0);
	else if (d->log_dir < 0)
		fd = d->log_dir;
	else
		fd = open_plain(d->log_dir, name_of(d->log_file), O_WRONLY | O_APPEND, 0640);
	if (fd < 0)
		return fd;
	if (dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0)
		err = -errno;
	close(fd);
	return err;
}

int daemon__ready(struct daemon *d)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC), err = open_log(d);
	ssize_t n;

	if (!err && null >= 0 && dup2(null, STDIN_FILENO) < 0)
		err = -errno;
	if (null >= 0)
		close(null);
	if (err)
		return err;
	if (d->log_file)
		log__to_file();
	else
		log__to_syslog();
	n = write(d->parent_fd, "+", 1);
	(void)n; /* it was killed while it waited: there is nobody to report to */
	close(d->parent_fd);
	d->parent_fd = -1;
	return 0;
}

int daemon__reopen(struct daemon *d)
{
	return d->log_file ? open_log(d) : 0;
}

const char *daemon__strerror(int err)
{
	return err == -ELOOP  ? "it is a symbolic link" :
	       err == -EMLINK ? "it has another name, too" :
	       err == -EPERM  ? "it belongs to another user, or others may write to it" :
				strerror(-err);
}

void daemon__end(struct daemon *d)
{
	const char *name = d->pid_fd < 0 ? NULL : name_of(d->pid_file);

	if (!name)
		return;
	if (is_still(d->pid_dir, name, d->pid_fd))
		unlinkat(d->pid_dir, name, 0);
	close(d->pid_fd);
	d->pid_fd = -1;
}
