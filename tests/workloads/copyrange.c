// SPDX-License-Identifier: GPL-2.0-or-later
/* copy_file_range. */
#include "workload.h"

static char buf[65536];

int main(void)
{
	int in = OK(SYS(openat, AT_FDCWD, "in", O_RDWR | O_CREAT | O_TRUNC, 0644));
	int out = OK(SYS(openat, AT_FDCWD, "out", O_RDWR | O_CREAT | O_TRUNC, 0644));
	int rd = OK(SYS(openat, AT_FDCWD, "out", O_RDONLY));
	int dir = OK(SYS(openat, AT_FDCWD, ".", O_RDONLY));
	int p[2];
	loff_t at, to;

	OK(SYS(pipe2, p, 0));
	IS(60013, SYS(write, in, buf, 60013));
	for (int i = 0; i < 7; i++) {
		at = 311 * i;
		to = 100000 + 4096 * i;
		IS(1009, SYS(copy_file_range, in, &at, out, &to, 1009, 0));
		IS(1009, SYS(copy_file_range, in, &at, out, 0L, 1009, 0));
		IS(19 * i, SYS(lseek, in, 19L * i, SEEK_SET));
		IS(2003, SYS(copy_file_range, in, 0L, out, &to, 2003, 0));
		IS(2003, SYS(copy_file_range, in, 0L, out, 0L, 2003, 0));
	}
	at = 60000;
	IS(13, SYS(copy_file_range, in, &at, out, 0L, 4096, 0));
	IS(0, SYS(copy_file_range, in, &at, out, 0L, 4096, 0));
	IS(0, SYS(copy_file_range, in, 0L, out, 0L, 0, 0));
	at = 0;
	to = 30000;
	IS(500, SYS(copy_file_range, in, &at, in, &to, 500, 0)); /* within one file */
	at = 0;
	to = 100;
	FAILS(EINVAL, SYS(copy_file_range, in, &at, in, &to, 500, 0)); /* overlapping */
	FAILS(EINVAL, SYS(copy_file_range, in, &at, out, &to, 500, 1));
	FAILS(EBADF, SYS(copy_file_range, in, 0L, rd, 0L, 10, 0));
	FAILS(EISDIR, SYS(copy_file_range, in, 0L, dir, 0L, 10, 0));
	FAILS(EBADF, SYS(copy_file_range, 999, 0L, out, 0L, 10, 0));
	FAILS(EBADF, SYS(copy_file_range, in, 0L, 999, 0L, 10, 0));
	FAILS(EINVAL, SYS(copy_file_range, p[0], 0L, out, 0L, 10, 0));
	FAILS(EFAULT, SYS(copy_file_range, in, (loff_t *)8, out, 0L, 10, 0));
	IS(0, SYS(close, p[0]));
	IS(0, SYS(close, p[1]));
	IS(0, SYS(close, dir));
	IS(0, SYS(close, rd));
	IS(0, SYS(close, out));
	IS(0, SYS(close, in));
	return 0;
}
