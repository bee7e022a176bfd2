// SPDX-License-Identifier: GPL-2.0-or-later
/* Files without a name, which get one. */
#include "workload.h"

int main(void)
{
	static char buf[4096];
	char proc[64];
	int fd, again;

	IS(0, SYS(mkdirat, AT_FDCWD, "dir", 0755));
	for (int i = 0; i < 3; i++) {
		fd = OK(SYS(openat, AT_FDCWD, "dir", O_TMPFILE | O_RDWR, 0600));
		IS(1009, SYS(write, fd, buf, 1009));
		IS(13, SYS(pread64, fd, buf, 13, 5L));
		IS(0, SYS(fsync, fd));
		IS(0, SYS(close, fd));
	}
	fd = OK(SYS(openat, AT_FDCWD, "dir", O_TMPFILE | O_WRONLY | O_EXCL, 0600));
	FAILS(ENOENT, SYS(linkat, fd, "", AT_FDCWD, "never", AT_EMPTY_PATH));
	IS(0, SYS(close, fd));
	fd = OK(SYS(openat, AT_FDCWD, "dir", O_TMPFILE | O_RDWR, 0600));
	IS(7, SYS(write, fd, "content", 7));
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	IS(0, SYS(linkat, AT_FDCWD, proc, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
	IS(7, SYS(pread64, fd, buf, 10,
		  0L)); /* the name by which it was opened is still the temporary one */
	again = OK(SYS(openat, AT_FDCWD, "named", O_RDONLY));
	IS(7, SYS(read, again, buf, 11));
	IS(0, SYS(close, again));
	IS(0, SYS(close, fd));
	FAILS(EINVAL, SYS(openat, AT_FDCWD, "dir", O_TMPFILE | O_RDONLY, 0600));
	FAILS(ENOTDIR, SYS(openat, AT_FDCWD, "named", O_TMPFILE | O_RDWR, 0600));
	FAILS(ENOENT, SYS(openat, AT_FDCWD, "absent", O_TMPFILE | O_RDWR, 0600));
	return 0;
}
