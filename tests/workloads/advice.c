// SPDX-License-Identifier: GPL-2.0-or-later
/* readahead, fadvise, sync_file_range, fallocate: a range, and a word for the row. */
#include <linux/falloc.h>

#include "workload.h"

#define FAR (5LL << 30)

static char buf[65536];

int main(void)
{
	static const int advices[] = {
		POSIX_FADV_NORMAL,   POSIX_FADV_RANDOM,   POSIX_FADV_SEQUENTIAL,
		POSIX_FADV_WILLNEED, POSIX_FADV_DONTNEED, POSIX_FADV_NOREUSE,
	};
	static const int modes[] = {
		/* the filesystem may refuse any of these: strace says */
		0,
		FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE,
		FALLOC_FL_ZERO_RANGE,
		FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_COLLAPSE_RANGE,
		FALLOC_FL_INSERT_RANGE,
		FALLOC_FL_UNSHARE_RANGE,
		1 << 20,
	};
	int fd = OK(SYS(openat, AT_FDCWD, "data", O_RDWR | O_CREAT | O_TRUNC, 0644));
	int wr = OK(SYS(openat, AT_FDCWD, "data", O_WRONLY));
	int dir = OK(SYS(openat, AT_FDCWD, ".", O_RDONLY | O_DIRECTORY));
	int p[2];

	OK(SYS(pipe2, p, 0));
	IS(65536, SYS(write, fd, buf, 65536));
	for (int i = 0; i < 3; i++) {
		for (int a = 0; a < 6; a++)
			IS(0, SYS(fadvise64, fd, 4096L * i, 8192L, advices[a]));
		IS(0, SYS(fadvise64, fd, FAR, 0L, POSIX_FADV_WILLNEED));
		IS(0, SYS(readahead, fd, 4096L * i, 16411));
		IS(0, SYS(readahead, fd, FAR, 7));
		IS(0, SYS(sync_file_range, fd, 4096L * i, 8192L, 0));
		IS(0, SYS(sync_file_range, fd, FAR, 0L, SYNC_FILE_RANGE_WRITE));
		IS(0, SYS(sync_file_range, fd, 0L, 8191L,
			  SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
				  SYNC_FILE_RANGE_WAIT_AFTER));
	}
	FAILS(EINVAL, SYS(fadvise64, fd, 0L, 1L, 99));
	FAILS(EBADF, SYS(fadvise64, 999, 0L, 1L, 0));
	FAILS(ESPIPE, SYS(fadvise64, p[0], 0L, 1L, 0));
	FAILS(EBADF, SYS(readahead, 999, 0L, 1));
	FAILS(EBADF, SYS(readahead, wr, 0L, 1));
	FAILS(EINVAL, SYS(readahead, p[0], 0L, 1));
	FAILS(EINVAL, SYS(sync_file_range, fd, -5L, 1L, 0));
	FAILS(EINVAL, SYS(sync_file_range, fd, 0L, 1L, 64));
	FAILS(EBADF, SYS(sync_file_range, 999, 0L, 1L, 0));
	FAILS(ESPIPE, SYS(sync_file_range, p[0], 0L, 1L, 0));
	for (int i = 0; i < 2; i++)
		for (size_t m = 0; m < sizeof(modes) / sizeof(*modes); m++)
			SYS(fallocate, fd, modes[m], 4096L * i, 8192L);
	IS(0, SYS(fallocate, fd, 0, FAR, 1L));
	IS(1, SYS(read, fd, buf, 1)); /* what fallocate creates belongs to the file */
	FAILS(EINVAL, SYS(fallocate, fd, 0, -1L, 1L));
	FAILS(EINVAL, SYS(fallocate, fd, 0, 0L, 0L));
	FAILS(EBADF, SYS(fallocate, 999, 0, 0L, 1L));
	FAILS(EBADF, SYS(fallocate, dir, 0, 0L, 1L));
	SYS(fallocate, fd, 0, 1L << 62, 1L); /* too far for ext4, not for btrfs */
	IS(0, SYS(ftruncate, fd, 0L));
	IS(0, SYS(close, p[0]));
	IS(0, SYS(close, p[1]));
	IS(0, SYS(close, dir));
	IS(0, SYS(close, wr));
	IS(0, SYS(close, fd));
	return 0;
}
