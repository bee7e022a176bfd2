/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the workload programs share. A workload is a deterministic program that does one family of
 * I/O in its current directory, through raw system calls so that libc chooses nothing, and that
 * aborts if a call does not end as the program expects: a test never compares what did not happen.
 * strace, around it, says which rows are right. */
#ifndef IOTRC_WORKLOAD_H
#define IOTRC_WORKLOAD_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* SYS(read, fd, buf, n): the system call itself; -1 and errno on failure. */
#define SYS(name, ...) syscall(SYS_##name, ##__VA_ARGS__)

/* The call must succeed; the value is its result. */
#define OK(call) workload__ok((call), #call, __FILE__, __LINE__)
/* The call must return exactly this. */
#define IS(value, call) workload__is((value), (call), #call, __FILE__, __LINE__)
/* The call must fail with this errno. */
#define FAILS(error, call) workload__fails((error), (call), #call, __FILE__, __LINE__)

static inline long workload__ok(long result, const char *call, const char *file, int line)
{
	if (result == -1) {
		fprintf(stderr, "%s:%d: %s: %s\n", file, line, call, strerror(errno));
		exit(99);
	}
	return result;
}

static inline void workload__is(long value, long result, const char *call, const char *file,
				int line)
{
	if (result != value) {
		fprintf(stderr, "%s:%d: %s is %ld, not %ld\n", file, line, call, result, value);
		exit(99);
	}
}

static inline void workload__fails(int error, long result, const char *call, const char *file,
				   int line)
{
	int seen = result == -1 ? errno : 0;

	if (seen != error) {
		fprintf(stderr, "%s:%d: %s: %s, not %s\n", file, line, call, strerror(seen),
			strerror(error));
		exit(99);
	}
}

/* An empty file. */
static inline void workload__create(const char *name)
{
	int fd = OK(SYS(openat, AT_FDCWD, name, O_WRONLY | O_CREAT, 0644));

	IS(0, SYS(close, fd));
}

/* A file of seven bytes. */
static inline void workload__make(const char *name)
{
	int fd = OK(SYS(openat, AT_FDCWD, name, O_WRONLY | O_CREAT, 0644));

	IS(7, SYS(write, fd, "content", 7));
	IS(0, SYS(close, fd));
}

/* Reads it. */
static inline void workload__look(const char *name)
{
	char buf[11];
	int fd = OK(SYS(openat, AT_FDCWD, name, O_RDONLY));

	IS(7, SYS(read, fd, buf, sizeof(buf)));
	IS(0, SYS(close, fd));
}

#endif
