// SPDX-License-Identifier: GPL-2.0-or-later
/* Processes that start, execute and end, and what they share meanwhile. */
#include <linux/sched.h>
#include <pthread.h>
#include <sys/wait.h>
#include <time.h>

#include "workload.h"

#define CHILDREN 7
#define THREADS 5
#define READS 101

static char buf[4096];
static const char *self;

static void collect(long pid, int expected)
{
	int status;

	IS(pid, SYS(wait4, pid, &status, 0, 0L));
	IS(expected, status);
}

#define EXITED(code) ((code) << 8)

static void forks(void)
{
	int fd = OK(SYS(openat, AT_FDCWD, "shared", O_RDWR | O_CREAT | O_TRUNC, 0644));
	struct clone_args args = { .exit_signal = SIGCHLD };
	long pid;

	IS(4096, SYS(write, fd, buf, 4096));
	IS(0, SYS(lseek, fd, 0, SEEK_SET));
	for (int i = 0; i < CHILDREN; i++) {
		pid = OK(SYS(clone, (long)SIGCHLD, 0L, 0L, 0L, 0L));
		if (!pid) { /* parent and children share the position */
			OK(SYS(read, fd, buf, 103));
			OK(SYS(mkdirat, AT_FDCWD, "private", 0755));
			OK(SYS(chdir, "private")); /* the child's alone */
			FAILS(ENOENT, SYS(openat, AT_FDCWD, "absent", O_RDONLY));
			OK(SYS(unlinkat, AT_FDCWD, "../private", AT_REMOVEDIR));
			OK(SYS(close, fd));
			SYS(exit_group, i);
		}
		collect(pid, EXITED(i));
		IS(11, SYS(read, fd, buf, 11));
		FAILS(ENOENT, SYS(openat, AT_FDCWD, "absent", O_RDONLY));
	}
	pid = OK(SYS(clone3, &args, sizeof(args)));
	if (!pid) {
		OK(SYS(read, fd, buf, 5));
		SYS(exit_group, 41);
	}
	collect(pid, EXITED(41));
	/* Shared descriptors and directory: what the child changes, the parent sees. */
	pid = OK(SYS(clone, (long)(CLONE_FILES | CLONE_FS | SIGCHLD), 0L, 0L, 0L, 0L));
	if (!pid) {
		OK(SYS(mkdirat, AT_FDCWD, "common", 0755));
		OK(SYS(chdir, "common"));
		OK(SYS(close, fd));
		SYS(exit_group, 0);
	}
	collect(pid, 0);
	FAILS(EBADF, SYS(read, fd, buf, 1));
	FAILS(ENOENT, SYS(openat, AT_FDCWD, "absent", O_RDONLY));
	OK(SYS(chdir, ".."));
#ifdef SYS_fork
	pid = OK(SYS(fork));
	if (!pid)
		SYS(exit_group, 255);
	collect(pid, EXITED(255));
#endif
	args.exit_signal = 1000;
	FAILS(EINVAL, SYS(clone3, &args, sizeof(args)));
	FAILS(EINVAL, SYS(clone, (long)(CLONE_THREAD | SIGCHLD), 0L, 0L, 0L, 0L));
}

static void execs(void)
{
	char *argv[] = { (char *)self, "child", "two words", "comma,\"quote\"\n", NULL };
	char *envp[] = { NULL };
	long pid;
	int fd;

	/* vfork as libc makes it: the child uses the parent's memory until it execs. */
	for (volatile int i = 0; i < 3; i++) {
		pid = vfork();
		if (!pid) {
			SYS(execve, self, argv, envp);
			_exit(98);
		}
		collect(pid, EXITED(17));
	}
	OK(SYS(symlinkat, self, AT_FDCWD, "alias"));
	fd = OK(SYS(openat, AT_FDCWD, "not-a-program", O_WRONLY | O_CREAT, 0755));
	IS(4, SYS(write, fd, "\1\2\3\4", 4));
	IS(0, SYS(close, fd));
	pid = OK(SYS(clone, (long)SIGCHLD, 0L, 0L, 0L, 0L));
	if (!pid) {
		FAILS(ENOENT, SYS(execve, "absent", argv, envp));
		FAILS(EACCES, SYS(execve, ".", argv, envp));
		FAILS(EACCES, SYS(execve, "shared", argv, envp));
		FAILS(ENOEXEC, SYS(execve, "./not-a-program", argv, envp));
		SYS(execve, "alias", argv,
		    envp); /* `filename` is the file that the link leads to */
		SYS(exit_group, 98);
	}
	collect(pid, EXITED(17));
	pid = OK(SYS(clone, (long)SIGCHLD, 0L, 0L, 0L, 0L));
	if (!pid) {
		fd = OK(SYS(openat, AT_FDCWD, self, O_PATH | O_CLOEXEC));
		SYS(execveat, fd, "", argv, envp, (long)AT_EMPTY_PATH);
		SYS(exit_group, 98);
	}
	collect(pid, EXITED(17));
}

static void deaths(void)
{
	long pid = OK(SYS(clone, (long)SIGCHLD, 0L, 0L, 0L, 0L));

	if (!pid) {
		SYS(kill, getpid(), SIGKILL);
		for (;;)
			pause();
	}
	collect(pid, SIGKILL);
	pid = OK(SYS(clone, (long)SIGCHLD, 0L, 0L, 0L, 0L));
	if (!pid) {
		SYS(kill, getpid(), SIGTERM);
		for (;;)
			pause();
	}
	collect(pid, SIGTERM);
}

static void *reader(void *arg)
{
	char own[64], name[32];
	int fd;

	snprintf(name, sizeof(name), "thread%ld", (long)arg);
	fd = OK(SYS(openat, AT_FDCWD, name, O_RDWR | O_CREAT, 0644));
	IS(64, SYS(write, fd, own, 64));
	for (long i = 0; i < READS; i++)
		IS(i % 61 + 1, SYS(pread64, fd, own, i % 61 + 1, i % 3));
	IS(0, SYS(close, fd));
	return NULL;
}

static void *outlives(void *arg)
{
	struct timespec t = { .tv_nsec = 50000000 };

	SYS(nanosleep, &t, 0L); /* the leader has exited by then */
	FAILS(ENOENT, SYS(openat, AT_FDCWD, "absent", O_RDONLY));
	SYS(exit, 0);
	return NULL;
}

static void *ends_all(void *arg)
{
	SYS(exit_group, 29);
	return NULL;
}

/* Processes of two threads that do not end with their first thread. */
static void leaders(void)
{
	static void *(*const bodies[])(void *) = { outlives, ends_all };
	pthread_t thread;
	int status;
	long pid;

	for (int i = 0; i < 2; i++) {
		pid = OK(fork());
		if (!pid) {
			if (pthread_create(&thread, NULL, bodies[i], NULL))
				exit(97);
			while (bodies[i] == ends_all)
				pause();
			SYS(exit, 31);
		}
		/* Whether the exit code is the leader's or the last thread's differs between
		 * kernels (6.18: the last thread's): strace says. */
		IS(pid, SYS(wait4, pid, &status, 0, 0L));
	}
}

static void threads(void)
{
	pthread_t thread[THREADS];

	for (long i = 0; i < THREADS; i++)
		if (pthread_create(&thread[i], NULL, reader, (void *)i))
			exit(97);
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
}

int main(int argc, char **argv)
{
	self = argv[0]; /* absolute: the test starts it with an absolute path */
	if (argc > 1) {
		int fd = OK(SYS(openat, AT_FDCWD, "child", O_WRONLY | O_CREAT, 0600));

		IS(1, SYS(write, fd, "", 1)); /* still open: the end of the process is no close */
		return 17;
	}
	forks();
	execs();
	deaths();
	leaders();
	threads();
	return 3;
}
