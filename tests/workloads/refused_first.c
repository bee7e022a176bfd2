// SPDX-License-Identifier: GPL-2.0-or-later
/* A thread whose first call in the recording is refused. It prints "ready", waits without any
 * system call until the first byte of the file in its argument is not 0, and then calls unlinkat(),
 * which a filter refuses. */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "workload.h"

int main(int argc, char **argv)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_unlinkat, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(filter) / sizeof(*filter), filter };
	int fd = OK(SYS(openat, AT_FDCWD, argv[1], O_RDWR));
	volatile char *go =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);

	IS(0, prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	OK(SYS(seccomp, SECCOMP_SET_MODE_FILTER, 0, &program));
	IS(6, SYS(write, 1, "ready\n", 6));
	while (!*go)
		;
	FAILS(EPERM, SYS(unlinkat, AT_FDCWD, "first", 0));
	FAILS(EPERM, SYS(unlinkat, AT_FDCWD, "second", 0));
	return 0;
}
