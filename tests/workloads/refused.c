// SPDX-License-Identifier: GPL-2.0-or-later
/* Calls that a seccomp filter answers instead of the kernel: with an errno, with a signal, and by a
 * supervisor. */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "workload.h"

#define ANSWER(nr, action) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##nr, 0, 1), BPF_STMT(BPF_RET | BPF_K, (action))
#define NUMBER BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define REFUSE(error) (SECCOMP_RET_ERRNO | (error))

static long install(struct sock_filter *filter, size_t n, int flags)
{
	struct sock_fprog program = { n, filter };

	IS(0, prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	return OK(SYS(seccomp, SECCOMP_SET_MODE_FILTER, flags, &program));
}

static void with_an_errno(void)
{
	struct sock_filter filter[] = {
		NUMBER,
		ANSWER(unlinkat, REFUSE(EPERM)),
		ANSWER(mkdirat, REFUSE(EACCES)),
		ANSWER(renameat2, REFUSE(EPERM)),
		ANSWER(fchmodat, REFUSE(ENOSYS)),
		ANSWER(pwrite64, REFUSE(EPERM)),
		ANSWER(openat2, REFUSE(ENOSYS)),
		ANSWER(fsync, REFUSE(0)),
		ANSWER(symlinkat, REFUSE(0)),
		ALLOW,
	};
	uint64_t how[3] = {};
	char buf[4];
	int fd = OK(SYS(openat, AT_FDCWD, "file", O_RDWR | O_CREAT, 0600));

	install(filter, sizeof(filter) / sizeof(*filter), 0);
	IS(0, SYS(read, fd, buf, sizeof(buf)));
	FAILS(EPERM, SYS(unlinkat, AT_FDCWD, "file", 0));
	FAILS(EPERM, SYS(unlinkat, AT_FDCWD, "./none/../file", AT_REMOVEDIR));
	FAILS(EACCES, SYS(mkdirat, AT_FDCWD, "dir", 0700));
	FAILS(EPERM, SYS(renameat2, AT_FDCWD, "file", AT_FDCWD, "other", 0));
	FAILS(ENOSYS, SYS(fchmodat, AT_FDCWD, "file", 0600));
	FAILS(EPERM, SYS(pwrite64, fd, "x", 1L, 7L));
	FAILS(ENOSYS, SYS(openat2, AT_FDCWD, "file", how, sizeof(how)));
	IS(0, SYS(fsync, fd)); /* not done, but reported as successful */
	IS(0, SYS(symlinkat, "target", AT_FDCWD, "link"));
	IS(0, SYS(faccessat, AT_FDCWD, "file", R_OK));
	FAILS(ENOENT, SYS(faccessat, AT_FDCWD, "link", R_OK));
	IS(0, SYS(close, fd));
}

static void ignore(int number)
{
}

/* SECCOMP_RET_TRAP leaves the call's number as its result. */
static void with_a_signal(void)
{
	struct sock_filter filter[] = { NUMBER, ANSWER(fchownat, SECCOMP_RET_TRAP), ALLOW };

	signal(SIGSYS, ignore);
	install(filter, sizeof(filter) / sizeof(*filter), 0);
#if defined(__x86_64__)
	IS(SYS_fchownat, SYS(fchownat, AT_FDCWD, "file", 0, 0, 0));
#else
	SYS(fchownat, AT_FDCWD, "file", 0, 0, 0);
#endif
}

static void *supervise(void *arg)
{
	int fd = *(int *)arg;
	struct seccomp_notif request;
	struct seccomp_notif_resp answer;

	for (int i = 0; i < 2; i++) {
		memset(&request, 0, sizeof(request));
		memset(&answer, 0, sizeof(answer));
		IS(0, ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &request));
		answer.id = request.id;
		if (!i)
			answer.error = -EROFS;
		else
			answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		IS(0, ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &answer));
	}
	return NULL;
}

/* A supervisor refuses one call, and lets the kernel do the other. */
static void with_a_supervisor(void)
{
	struct sock_filter filter[] = { NUMBER, ANSWER(truncate, SECCOMP_RET_USER_NOTIF), ALLOW };
	int fd =
		install(filter, sizeof(filter) / sizeof(*filter), SECCOMP_FILTER_FLAG_NEW_LISTENER);
	pthread_t thread;

	pthread_create(&thread, NULL, supervise, &fd);
	FAILS(EROFS, SYS(truncate, "file", 100L));
	IS(0, SYS(truncate, "file", 200L));
	pthread_join(thread, NULL);
	IS(0, SYS(close, fd));
}

int main(void)
{
	with_an_errno();
	with_a_signal();
	with_a_supervisor();
	return 0;
}
