// SPDX-License-Identifier: GPL-2.0-or-later
#include "platform/libc.h"

#ifdef __APPLE__
#include <crt_externs.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "platform/macros.h"

void *memrchr(const void *s, int c, size_t n)
{
	const unsigned char *p = s;

	while (n)
		if (p[--n] == (unsigned char)c)
			return (void *)(p + n);
	return NULL;
}

char *strchrnul(const char *s, int c)
{
	char *found = strchr(s, c);

	return found ? found : (char *)s + strlen(s);
}

void *mempcpy(void *to, const void *from, size_t n)
{
	return (char *)memcpy(to, from, n) + n;
}

void explicit_bzero(void *s, size_t n)
{
	memset_s(s, n, 0, n);
}

void *reallocarray(void *p, size_t n, size_t size)
{
	size_t all;

	if (__builtin_mul_overflow(n, size, &all)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(p, all);
}

int clearenv(void)
{
	**_NSGetEnviron() = NULL;
	return 0;
}

int setresuid(uid_t real, uid_t effective, uid_t saved)
{
	if (real == effective && effective == saved)
		return setuid(real);
	errno = EINVAL;
	return -1;
}

int setresgid(gid_t real, gid_t effective, gid_t saved)
{
	if (real == effective && effective == saved)
		return setgid(real);
	errno = EINVAL;
	return -1;
}

static int mark(int fd, int flags)
{
	if (flags & O_CLOEXEC && fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return -1;
	return flags & O_NONBLOCK ? fcntl(fd, F_SETFL, O_NONBLOCK) : 0;
}

int pipe2(int fds[2], int flags)
{
	if (pipe(fds))
		return -1;
	if (!mark(fds[0], flags) && !mark(fds[1], flags))
		return 0;
	close(fds[0]);
	close(fds[1]);
	return -1;
}

int dup3(int from, int to, int flags)
{
	return dup2(from, to) < 0 || mark(to, flags) ? -1 : to;
}

pid_t gettid(void)
{
	uint64_t id = 0;

	pthread_threadid_np(NULL, &id);
	return id;
}

#define SIGNAL_LOOK_NS 10000000

int sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *timeout)
{
	const struct timespec look = { .tv_nsec = SIGNAL_LOOK_NS };
	int64_t left = timeout->tv_sec * (int64_t)NSEC_PER_SEC + timeout->tv_nsec;
	sigset_t pending;
	int got;

	for (;; left -= SIGNAL_LOOK_NS) {
		sigpending(&pending);
		for (int s = 1; s < NSIG; s++)
			if (sigismember(set, s) > 0 && sigismember(&pending, s) > 0)
				return sigwait(set, &got) ? -1 : got;
		if (left <= 0)
			break;
		nanosleep(&look, NULL);
	}
	errno = EAGAIN;
	return -1;
}

ssize_t getrandom(void *buf, size_t n, unsigned int flags)
{
	return getentropy(buf, n) ? -1 : (ssize_t)n;
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned int flags)
{
	return renameatx_np(from_dir, from, to_dir, to, flags & RENAME_NOREPLACE ? RENAME_EXCL : 0);
}

int fallocate(int fd, int mode, off_t offset, off_t len)
{
	fstore_t store = {
		.fst_flags = F_ALLOCATEALL,
		.fst_posmode = F_PEOFPOSMODE,
		.fst_length = len,
	};

	return fcntl(fd, F_PREALLOCATE, &store);
}

/* macOS clones only whole files (fclonefileat(2)); the caller has to copy. */
ssize_t copy_file_range(int from, off_t *from_at, int to, off_t *to_at, size_t n,
			unsigned int flags)
{
	errno = EOPNOTSUPP;
	return -1;
}

int sync_file_range(int fd, off_t offset, off_t n, unsigned int flags)
{
	return 0;
}
#endif
