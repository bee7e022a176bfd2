// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "platform/libc.h"

/* In a directory that others write to, a file by this name may be a link to one that isn't ours to
 * change, or a FIFO that nobody reads. A negative errno. */
static int open_plain(const char *path, int flags, mode_t mode)
{
	int fd = open(path, flags | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, mode),
	    err;
	struct stat st;

	if (fd < 0)
		return -errno;
	err = fstat(fd, &st) ? -errno : S_ISREG(st.st_mode) && st.st_nlink != 1 ? -EMLINK : 0;
	if (!err)
		return fd;
	close(fd);
	return err;
}

/* The lock is what counts, not the file: a dead process has none. */
static int take_pid_file(struct daemon *d, pid_t *ret_other)
{
	char text[32];
	int fd = open_plain(d->pid_file, O_RDWR, 0644), n, err;

	if (fd < 0)
		return fd;
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		err = errno == EWOULDBLOCK ? -EBUSY : -errno;
		n = read(fd, text, sizeof(text) - 1);
		text[n < 0 ? 0 : n] = 0;
		*ret_other = atol(text);
		close(fd);
		return err;
	}
	n = snprintf(text, sizeof(text), "%d\n", getpid());
	if (ftruncate(fd, 0) || write(fd, text, n) != n) {
		err = -errno;
		close(fd);
		return err;
	}
	d->pid_fd = fd;
	return 0;
}

/* The parent's part. */
static void await(int fd, pid_t child)
{
	char byte;
	int status;
	ssize_t n;

	do
		n = read(fd, &byte, 1);
	while (n < 0 && errno == EINTR);
	if (n == 1)
		_exit(0);
	if (waitpid(child, &status, 0) == child && WIFEXITED(status))
		_exit(WEXITSTATUS(status));
	_exit(1);
}

int daemon__begin(struct daemon *d, const char *pid_file, const char *log_file, pid_t *ret_other)
{
	int fds[2];
	pid_t child;

	*d = (struct daemon){
		.pid_file = pid_file, .log_file = log_file, .pid_fd = -1, .parent_fd = -1
	};
	if (pipe2(fds, O_CLOEXEC))
		return -EPIPE;
	child = fork();
	if (child < 0)
		return -EPIPE;
	if (child) {
		close(fds[1]);
		await(fds[0], child);
	}
	close(fds[0]);
	d->parent_fd = fds[1];
	setsid();
	return pid_file ? take_pid_file(d, ret_other) : 0;
}

static int open_log(const struct daemon *d)
{
	int fd = open_plain(d->log_file ?: "/dev/null", O_WRONLY | O_APPEND, 0640);

	if (fd < 0)
		return fd;
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	close(fd);
	return 0;
}

int daemon__ready(struct daemon *d)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC), err = open_log(d);
	ssize_t n;

	if (!err && null >= 0)
		dup2(null, STDIN_FILENO);
	if (null >= 0)
		close(null);
	if (err)
		return err;
	if (d->log_file)
		log__to_file();
	else
		log__to_syslog();
	n = write(d->parent_fd, "+", 1);
	(void)n; /* killed while it waited: nobody is to be told */
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
				strerror(-err);
}

void daemon__end(struct daemon *d)
{
	if (d->pid_fd < 0)
		return;
	unlink(d->pid_file);
	close(d->pid_fd);
	d->pid_fd = -1;
}
