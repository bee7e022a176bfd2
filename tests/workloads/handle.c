// SPDX-License-Identifier: GPL-2.0-or-later
/* Files opened by handle, without any name. */
#include "workload.h"

struct handle {
	struct file_handle head;
	char capacity[128];
};

int main(void)
{
	static char buf[64];
	struct handle h = { .head.handle_bytes = sizeof(h.capacity) }, dir = h, bad;
	int mount_id, fd, mount;

	IS(0, SYS(mkdirat, AT_FDCWD, "dir", 0755));
	fd = OK(SYS(openat, AT_FDCWD, "dir/file", O_RDWR | O_CREAT, 0644));
	IS(7, SYS(write, fd, "content", 7));
	IS(0, SYS(close, fd));
	IS(0, SYS(name_to_handle_at, AT_FDCWD, "dir/file", &h, &mount_id, 0));
	IS(0, SYS(name_to_handle_at, AT_FDCWD, "dir", &dir, &mount_id, 0));
	mount = OK(SYS(openat, AT_FDCWD, ".", O_RDONLY | O_DIRECTORY));
	for (int i = 0; i < 5; i++) {
		fd = OK(SYS(open_by_handle_at, mount, &h, O_RDWR));
		IS(7, SYS(read, fd, buf, 11));
		IS(0, SYS(close, fd));
		fd = OK(SYS(open_by_handle_at, AT_FDCWD, &h, O_WRONLY | O_TRUNC | O_APPEND));
		IS(7, SYS(write, fd, "content", 7));
		IS(0, SYS(close, fd));
		fd = OK(SYS(open_by_handle_at, mount, &dir, O_RDONLY | O_DIRECTORY));
		FAILS(ENOENT, SYS(openat, fd, "absent", O_RDONLY));
		IS(0, SYS(close, fd));
	}
	FAILS(EBADF, SYS(open_by_handle_at, 999, &h, O_RDONLY));
	FAILS(ENOTDIR, SYS(open_by_handle_at, mount, &h, O_RDONLY | O_DIRECTORY));
	FAILS(EFAULT, SYS(open_by_handle_at, mount, (void *)8, O_RDONLY));
	bad = h;
	bad.head.handle_bytes = 0;
	FAILS(EINVAL, SYS(open_by_handle_at, mount, &bad, O_RDONLY));
	IS(0, SYS(unlinkat, AT_FDCWD, "dir/file", 0));
	FAILS(ESTALE, SYS(open_by_handle_at, mount, &h, O_RDONLY));
	IS(0, SYS(close, mount));
	return 0;
}
