// SPDX-License-Identifier: GPL-2.0-or-later
/* What a program may do after it has restricted itself, according to the kernel. Each attempt is
 * made in a process of its own, whose exit status is the result. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "commands/confine.h"
#include "platform/landlock.h"
#include "platform/macros.h"
#include "platform/system_calls.h"

#define NETWORK true
#define ABSENT 77 /* exit code: this kernel or this build does not support it */

static int errno_of(long result)
{
	return result < 0 ? errno : 0;
}

/* The end of a child that calls asks() after it has restricted itself: its exit code, or minus the
 * signal. */
static int end_of(bool network, int (*ask)(void))
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		_exit(system_calls__restrict(network) ? ABSENT : ask());
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static int run_a_program(void)
{
	return errno_of(execl("/bin/true", "true", NULL));
}

static int trace(void)
{
	return errno_of(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static int fork_a_process(void)
{
	return errno_of(fork());
}

static int load_a_program(void)
{
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_SOCKET_FILTER };

	return errno_of(syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr)));
}

static int look_into_a_map(void)
{
	union bpf_attr attr = { .map_fd = 999 };

	return errno_of(syscall(SYS_bpf, BPF_MAP_LOOKUP_ELEM, &attr, sizeof(attr)));
}

static int map_to_write_and_run(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);

	return p == MAP_FAILED ? errno : 0;
}

static int make_runnable(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? 1 : errno_of(mprotect(p, 4096, PROT_READ | PROT_EXEC));
}

static int open_internet_socket(void)
{
	return errno_of(socket(AF_INET, SOCK_STREAM, 0));
}

static int open_packet_socket(void)
{
	return errno_of(socket(AF_PACKET, SOCK_RAW, 0));
}

static int mount_something(void)
{
	return errno_of(syscall(SYS_mount, "none", "/nowhere", "tmpfs", 0, NULL));
}

static void *write_a_file(void *arg)
{
	char path[] = "/tmp/iotrc-test-XXXXXX";
	int fd = mkstemp(path);

	*(int *)arg =
		fd >= 0 && write(fd, "x", 1) == 1 && !fdatasync(fd) && !unlink(path) ? 0 : errno;
	return NULL;
}

static int work_in_a_thread(void)
{
	pthread_t thread;
	int err = pthread_create(&thread, NULL, write_a_file, &err);

	if (!err)
		pthread_join(thread, NULL);
	return err;
}

Test(sandbox, system_calls)
{
	static const struct {
		bool network;
		int (*ask)(void);
		int end;
	} rows[] = {
		{ !NETWORK, run_a_program, -SIGSYS }, { !NETWORK, trace, -SIGSYS },
		{ !NETWORK, fork_a_process, EPERM },  { !NETWORK, load_a_program, EPERM },
		{ !NETWORK, look_into_a_map, EBADF }, { !NETWORK, map_to_write_and_run, EPERM },
		{ !NETWORK, make_runnable, EPERM },   { !NETWORK, open_internet_socket, EPERM },
		{ NETWORK, open_internet_socket, 0 }, { NETWORK, open_packet_socket, EPERM },
		{ !NETWORK, mount_something, EPERM }, { !NETWORK, work_in_a_thread, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int end = end_of(rows[i].network, rows[i].ask);

		cr_expect(end == rows[i].end || end == ABSENT, "row %zu: %d", i, end);
	}
}

/* Threads that are already running are restricted, too. */
static void *wait_and_ask(void *arg)
{
	int *pipe_fds = arg;
	char c;

	if (read(pipe_fds[0], &c, 1) == 1)
		_exit(open_internet_socket());
	return NULL;
}

static int ask_from_an_older_thread(void)
{
	int fds[2];
	pthread_t thread;

	if (pipe(fds) || pthread_create(&thread, NULL, wait_and_ask, fds))
		return 1;
	if (system_calls__restrict(false))
		return ABSENT;
	if (write(fds[1], "x", 1) == 1)
		pthread_join(thread, NULL);
	return 1;
}

Test(sandbox, threads_that_run_already)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		_exit(ask_from_an_older_thread());
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect(WIFEXITED(status) &&
			  (WEXITSTATUS(status) == EPERM || WEXITSTATUS(status) == ABSENT),
		  "%#x", status);
}

/* Which of 1 (write), 2 (create), 4 (remove) works in DIR. */
static int works_in(int dir)
{
	int fd = openat(dir, "there", O_WRONLY | O_TRUNC),
	    made = openat(dir, "new", O_CREAT | O_EXCL | O_WRONLY, 0600);

	return (fd >= 0) | (made >= 0) << 1 | !unlinkat(dir, "removed", 0) << 2;
}

Test(sandbox, where_may_be_written)
{
	char base[] = "/tmp/iotrc-test-XXXXXX", allowed[64], command[100];
	int status, dirs[2];
	pid_t pid;

	cr_assert(mkdtemp(base) != NULL);
	snprintf(allowed, sizeof(allowed), "%s/allowed", base);
	mkdir(allowed, 0700);
	dirs[0] = open(allowed, O_RDONLY | O_DIRECTORY);
	dirs[1] = open(base, O_RDONLY | O_DIRECTORY);
	for (int i = 0; i < 2; i++) {
		close(openat(dirs[i], "there", O_CREAT | O_WRONLY, 0600));
		close(openat(dirs[i], "removed", O_CREAT | O_WRONLY, 0600));
	}
	pid = fork();
	if (!pid) {
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		if (!landlock__begin())
			_exit(ABSENT);
		landlock__allow(allowed);
		_exit(landlock__enter() ? 1 : works_in(dirs[0]) | works_in(dirs[1]) << 3);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	snprintf(command, sizeof(command), "rm -rf %s", base);
	cr_assert_eq(system(command), 0);
	cr_expect(WIFEXITED(status) && (WEXITSTATUS(status) == 7 || WEXITSTATUS(status) == ABSENT),
		  "%#x", status);
}

/* A command that reads a session below ALLOWED may write there and beside it, not above. */
Test(sandbox, commands_that_read_sessions)
{
	char base[] = "/tmp/iotrc-test-XXXXXX", allowed[64], command[100];
	const char *dirs[] = { allowed };
	int status, above, in;
	pid_t pid;

	cr_assert(mkdtemp(base) != NULL);
	snprintf(allowed, sizeof(allowed), "%s/parent", base);
	mkdir(allowed, 0700);
	snprintf(allowed, sizeof(allowed), "%s/parent/session", base);
	mkdir(allowed, 0700);
	above = open(base, O_RDONLY | O_DIRECTORY);
	in = open(allowed, O_RDONLY | O_DIRECTORY);
	close(openat(above, "removed", O_CREAT | O_WRONLY, 0600));
	pid = fork();
	if (!pid) {
		if (!landlock__begin())
			_exit(ABSENT);
		confine(&(struct confinement){ .dirs = dirs, .n_dirs = 1, .state = -1 });
		_exit(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1 ? 100 :
		      open_internet_socket() == 0 && !SANITIZED   ? 101 :
		      openat(in, "new", O_CREAT | O_WRONLY, 0600) < 0 ||
				      mkdirat(in, "../beside", 0700) ?
								  102 :
		      works_in(above) ? 103 :
					0);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	snprintf(command, sizeof(command), "rm -rf %s", base);
	cr_assert_eq(system(command), 0);
	cr_expect(WIFEXITED(status) && (!WEXITSTATUS(status) || WEXITSTATUS(status) == ABSENT),
		  "%#x", status);
}
