// SPDX-License-Identifier: GPL-2.0-or-later
/* Calls that strace may not know yet: the program itself prints their rows. */
#include <linux/fs.h>

#include "uring.h"

#define NR_FCHMODAT2 452  /* 6.6 */
#define NR_SETXATTRAT 463 /* 6.13, as the three after it */
#define NR_GETXATTRAT 464
#define NR_LISTXATTRAT 465
#define NR_REMOVEXATTRAT 466

#ifndef AT_EXECVE_CHECK
#define AT_EXECVE_CHECK 0x10000
#endif

#define MODE "CHMOD|S_IRUSR|S_IWUSR"

struct xattr_at { /* struct xattr_args of linux/xattr.h */
	uint64_t value;
	uint32_t size, flags;
};

static void call(const char *operation, const char *path, int64_t size, int bytes,
		 const char *flags, long result)
{
	tell_as("", operation, path, NULL, size, NONE, bytes, flags, result < 0 ? -errno : result);
}

/* Since 6.14: execveat() only says whether it would execute the file. Strace knows the call. */
static void check(int dir, int fd)
{
	char *argv[] = { "never executed", NULL }, *envp[] = { NULL };

	for (int i = 0; i < 3; i++) {
		SYS(execveat, AT_FDCWD, "/bin/true", argv, envp, (long)AT_EXECVE_CHECK);
		SYS(execveat, dir, "file", argv, envp, (long)AT_EXECVE_CHECK);
		SYS(execveat, fd, "", argv, envp, (long)(AT_EXECVE_CHECK | AT_EMPTY_PATH));
		SYS(execveat, dir, "absent", argv, envp, (long)AT_EXECVE_CHECK);
	}
}

int main(void)
{
	static char buf[4096];
	struct xattr_at value = { (uintptr_t)buf, 11, 0 }, capacity = { (uintptr_t)buf, 100, 0 };
	int fd = OK(SYS(openat, AT_FDCWD, "file", O_RDWR | O_CREAT | O_TRUNC, 0644));
	int dir = OK(SYS(openat, AT_FDCWD, ".", O_RDONLY | O_DIRECTORY));

	/* A call that this kernel lacks fails with ENOSYS, and has a row like any other. */
	for (int i = 0; i < 3; i++) {
		call("setattr", "file", NONE, 0, MODE,
		     syscall(NR_FCHMODAT2, dir, "./file", 0600, 0));
		call("setattr", "file", NONE, 0, MODE,
		     syscall(NR_FCHMODAT2, fd, "", 0600, AT_EMPTY_PATH));
		call("setattr", "absent", NONE, 0, MODE,
		     syscall(NR_FCHMODAT2, dir, "absent", 0600, 0));
	}
	for (int i = 0; i < 3; i++) {
		call("setxattr", "file", 11, 0, "",
		     syscall(NR_SETXATTRAT, fd, "", (long)AT_EMPTY_PATH, "user.x", &value,
			     sizeof(value)));
		call("getxattr", "file", 100, 1, "",
		     syscall(NR_GETXATTRAT, dir, "file", 0L, "user.x", &capacity,
			     sizeof(capacity)));
		call("getxattr", "absent", 100, 1, "",
		     syscall(NR_GETXATTRAT, dir, "absent", 0L, "user.x", &capacity,
			     sizeof(capacity)));
		call("listxattr", "file", 4096, 1, "",
		     syscall(NR_LISTXATTRAT, dir, "file", 0L, buf, 4096L));
	}
	call("removexattr", "file", NONE, 0, "",
	     syscall(NR_REMOVEXATTRAT, dir, "file", 0L, "user.x"));
	check(dir, fd);
	return 0;
}
