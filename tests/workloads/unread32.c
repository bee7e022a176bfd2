// SPDX-License-Identifier: GPL-2.0-or-later
/* i386's calls that take a pointer to their arguments, with an invalid pointer. */
#ifdef __x86_64__
#include <linux/net.h>

#include "calls32.h"

#define MMAP 90
#define SELECT 82
#define SOCKETCALL 102

int main(void)
{
	FAILS(EFAULT, SYS32(MMAP, 8));
	FAILS(EFAULT, SYS32(SELECT, 8));
	FAILS(EFAULT, SYS32(SOCKETCALL, SYS_SOCKET, 8));
	FAILS(EFAULT, SYS32(SOCKETCALL, SYS_CONNECT, 8));
	FAILS(EFAULT, SYS32(SOCKETCALL, SYS_LISTEN, 8));
	FAILS(EFAULT, SYS32(SOCKETCALL, SYS_SETSOCKOPT, 8));
	printf("%d\n", getpid());
	return 0;
}
#else
int main(void)
{
	return 0;
}
#endif
