// SPDX-License-Identifier: GPL-2.0-or-later
/* A program that is its own tracer: it changes the arguments of its child's calls before the kernel
 * reads them. The child asks for mkdir("asked"), a write of 7 bytes, and unlink("victim"); the
 * kernel makes "given", writes 4 bytes, and calls access() instead of unlink(). Prints what was
 * returned to the child, and fails if the files disagree. */
#include <elf.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

#include "workload.h"

#if defined(__x86_64__)
#define NUMBER(regs) ((regs)->orig_rax)
#define SECOND(regs) ((regs)->rsi)
#define THIRD(regs) ((regs)->rdx)
#else
#define NUMBER(regs) ((regs)->regs[8])
#define SECOND(regs) ((regs)->regs[1])
#define THIRD(regs) ((regs)->regs[2])
#endif

static char given[] = "given";

static void ask(void)
{
	int fd;

	OK(ptrace(PTRACE_TRACEME, 0, 0, 0));
	raise(SIGSTOP);
	IS(0, SYS(mkdirat, AT_FDCWD, "asked", 0700));
	fd = OK(SYS(openat, AT_FDCWD, "file", O_WRONLY | O_CREAT, 0600));
	IS(4, SYS(write, fd, "seventh", 7));
	IS(0, SYS(unlinkat, AT_FDCWD, "victim", 0));
	_exit(0);
}

/* The changed calls: mkdirat's path, write's size, and unlinkat's number. */
static void change(int child, struct user_regs_struct *regs)
{
	struct iovec io = { regs, sizeof(*regs) };
	long number;

	OK(ptrace(PTRACE_GETREGSET, child, NT_PRSTATUS, &io));
	number = NUMBER(regs);
	if (number == SYS_mkdirat)
		SECOND(regs) = (unsigned long)given;
	else if (number == SYS_write && THIRD(regs) == 7)
		THIRD(regs) = 4;
	else if (number == SYS_unlinkat)
		NUMBER(regs) = SYS_faccessat;
	else
		return;
	OK(ptrace(PTRACE_SETREGSET, child, NT_PRSTATUS, &io));
#if defined(__aarch64__)
	{
		int now = NUMBER(regs);
		struct iovec one = { &now, sizeof(now) };

		OK(ptrace(PTRACE_SETREGSET, child, 0x404 /* NT_ARM_SYSTEM_CALL */, &one));
	}
#endif
}

int main(void)
{
	struct user_regs_struct regs;
	struct stat st;
	int child, status, enters = 1;

	workload__create("victim");
	child = OK(fork());
	if (!child)
		ask();
	OK(waitpid(child, &status, 0));
	OK(ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL));
	for (;;) {
		OK(ptrace(PTRACE_SYSCALL, child, 0, 0));
		OK(waitpid(child, &status, 0));
		if (WIFEXITED(status) || WIFSIGNALED(status))
			break;
		if (WSTOPSIG(status) != (SIGTRAP | 0x80))
			continue;
		if (enters)
			change(child, &regs);
		enters = !enters;
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		exit(99);
	IS(0, stat("given", &st));
	FAILS(ENOENT, stat("asked", &st));
	IS(0, stat("victim", &st));
	IS(0, stat("file", &st));
	IS(4, st.st_size);
	printf("%d\n", child);
	return 0;
}
