// SPDX-License-Identifier: GPL-2.0-or-later
/* openat2 with all its arguments, and descriptors opened with O_PATH. */
#include <linux/openat2.h>
#include <sys/stat.h>

#include "workload.h"

static char buf[4096];

static void extended(void)
{
	struct open_how how = { .flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, .mode = 0640 };
	char large[sizeof(how) + 16] = "";
	int dir, fd;

	for (int i = 0; i < 3; i++) {
		fd = OK(SYS(openat2, AT_FDCWD, "two", &how, sizeof(how)));
		IS(5, SYS(write, fd, buf, 5));
		IS(0, SYS(close, fd));
		FAILS(EEXIST, SYS(openat2, AT_FDCWD, "two", &how, sizeof(how)));
		IS(0, SYS(unlinkat, AT_FDCWD, "two", 0));
	}
	fd = OK(SYS(openat2, AT_FDCWD, "two", &how, sizeof(how)));
	IS(0, SYS(close, fd));
	IS(0, SYS(mkdirat, AT_FDCWD, "dir", 0755));
	IS(0, SYS(symlinkat, "../two", AT_FDCWD, "dir/out"));
	dir = OK(SYS(openat, AT_FDCWD, "dir", O_PATH | O_DIRECTORY));
	how = (struct open_how){ .flags = O_RDONLY };
	fd = OK(SYS(openat2, dir, "out", &how, sizeof(how)));
	IS(0, SYS(close, fd));
	how.resolve = RESOLVE_NO_SYMLINKS;
	FAILS(ELOOP, SYS(openat2, dir, "out", &how, sizeof(how)));
	how.resolve = RESOLVE_BENEATH;
	FAILS(EXDEV, SYS(openat2, dir, "out", &how, sizeof(how)));
	how.resolve = RESOLVE_IN_ROOT; /* ".." stays in the directory */
	FAILS(ENOENT, SYS(openat2, dir, "out", &how, sizeof(how)));
	memcpy(large, &(struct open_how){ .flags = O_RDONLY | O_NOFOLLOW }, sizeof(how));
	fd = OK(SYS(openat2, AT_FDCWD, "two", large, sizeof(large)));
	IS(0, SYS(close, fd));
	large[sizeof(how)] = 1;
	FAILS(E2BIG, SYS(openat2, AT_FDCWD, "two", large, sizeof(large)));
	how = (struct open_how){ .flags = O_RDONLY };
	FAILS(EINVAL, SYS(openat2, AT_FDCWD, "two", &how, sizeof(how) - 1));
	FAILS(EFAULT, SYS(openat2, AT_FDCWD, (char *)8, &how, sizeof(how)));
	how.flags = O_PATH | O_RDWR; /* openat would drop flags that O_PATH does not allow */
	FAILS(EINVAL, SYS(openat2, AT_FDCWD, "two", &how, sizeof(how)));
	how = (struct open_how){ .flags = O_RDONLY, .mode = 0644 };
	FAILS(EINVAL, SYS(openat2, AT_FDCWD, "two", &how, sizeof(how)));
	IS(0, SYS(close, dir));
}

static void names(void)
{
	int file, link, inner;

	IS(0, SYS(symlinkat, "two", AT_FDCWD, "link"));
	file = OK(SYS(openat, AT_FDCWD, "two", O_PATH));
	link = OK(SYS(openat, AT_FDCWD, "link", O_PATH | O_NOFOLLOW));
	for (int i = 0; i < 5; i++) {
		FAILS(EBADF, SYS(read, file, buf, 5));
		FAILS(EBADF, SYS(pwrite64, file, buf, 5, 7L));
		FAILS(EBADF, SYS(fsync, file));
		FAILS(EBADF, SYS(ftruncate, file, 3L));
		FAILS(EBADF, SYS(fchmod, file, 0600));
		FAILS(EBADF, SYS(getdents64, file, buf, sizeof(buf)));
		IS(0, SYS(fstat, file, buf));
		IS(0, SYS(fstat, link, buf));
		IS(3, SYS(readlinkat, link, "", buf, 100));
	}
	inner = OK(SYS(openat, AT_FDCWD, "dir", O_PATH));
	FAILS(ENOENT, SYS(openat, inner, "absent", O_RDONLY));
	IS(0, SYS(fchdir, inner));
	IS(0, SYS(chdir, ".."));
	IS(0, SYS(close, inner));
	IS(0, SYS(close, link));
	IS(0, SYS(close, file));
}

int main(void)
{
	extended();
	names();
	return 0;
}
