// SPDX-License-Identifier: GPL-2.0-or-later
/* connect() and bind() that a seccomp filter refuses. */
#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "workload.h"

#define REFUSE(nr) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##nr, 0, 1), \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)

int main(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		REFUSE(connect),
		REFUSE(bind),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(filter) / sizeof(*filter), filter };
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(80) };
	int fd = OK(SYS(socket, AF_INET, SOCK_STREAM, 0));

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	IS(0, prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	IS(0, SYS(seccomp, SECCOMP_SET_MODE_FILTER, 0, &program));
	FAILS(EPERM, SYS(connect, fd, &address, sizeof(address)));
	FAILS(EPERM, SYS(bind, fd, &address, sizeof(address)));
	return 0;
}
