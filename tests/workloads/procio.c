// SPDX-License-Identifier: GPL-2.0-or-later
/* Reads and writes of every kind, also in threads and children, between two readings of the
 * kernel's counters for this process: printed as "name: difference". The second reading comes
 * last. */
#include <pthread.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "workload.h"

static char buf[65536];

static void look(char *text, size_t size)
{
	int fd = OK(SYS(openat, AT_FDCWD, "/proc/self/io", O_RDONLY));
	long n = OK(SYS(read, fd, text, size - 1));

	text[n] = '\0';
	IS(0, SYS(close, fd));
}

static long value(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? atol(at + strlen(name)) : -1;
}

static void *work(void *arg)
{
	struct iovec iov[2] = { { buf, 1009 }, { buf + 2048, 503 } };
	int fd = OK(SYS(openat, AT_FDCWD, arg, O_RDWR | O_CREAT, 0644));
	int p[2];

	OK(SYS(pipe2, p, 0));
	for (int i = 0; i < 101; i++) {
		IS(1009, SYS(write, fd, buf, 1009));
		IS(503, SYS(pwrite64, fd, buf, 503, 7L * i));
		IS(1512, SYS(pwritev, fd, iov, 2L, 11L * i, 0L));
		IS(101, SYS(pread64, fd, buf, 101, 13L * i));
		IS(1512, SYS(preadv2, fd, iov, 2L, 0L, 0L, 0L));
		IS(5, SYS(write, p[1], buf, 5));
		IS(3, SYS(read, p[0], buf, 3));
		IS(2, SYS(read, p[0], buf, 30));
		IS(0, SYS(pread64, fd, buf, 10, 1L << 30)); /* counts as a call */
	}
	IS(0, SYS(close, p[0]));
	IS(0, SYS(close, p[1]));
	IS(0, SYS(close, fd));
	return NULL;
}

int main(void)
{
	static const char *const names[] = { "rchar: ", "wchar: ", "syscr: ", "syscw: " };
	char before[1024], after[1024];
	pthread_t thread;
	int status, in, out;
	long pid;

	look(before, sizeof(before));
	work("main");
	if (pthread_create(&thread, NULL, work, "thread"))
		return 97;
	pthread_join(thread, NULL);
	pid = OK(SYS(clone, (long)SIGCHLD, 0L, 0L, 0L, 0L));
	if (!pid) {
		work("child");
		SYS(exit_group, 0);
	}
	IS(pid, SYS(wait4, pid, &status, 0, 0L)); /* its counts are added to this process's */
	in = OK(SYS(openat, AT_FDCWD, "main", O_RDONLY));
	out = OK(SYS(openat, AT_FDCWD, "copy", O_WRONLY | O_CREAT, 0644));
	for (int i = 0; i < 7; i++) {
		IS(1009, SYS(sendfile, out, in, 0L, 1009));
		IS(503, SYS(copy_file_range, in, 0L, out, 0L, 503, 0));
	}
	look(after, sizeof(after));
	for (int i = 0; i < 4; i++)
		printf("%s%ld\n", names[i], value(after, names[i]) - value(before, names[i]));
	return 0;
}
