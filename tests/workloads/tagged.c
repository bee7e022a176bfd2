// SPDX-License-Identifier: GPL-2.0-or-later
/* Pointers with a tag in their top byte, as programs with memory tagging (MTE, HWASan) use. Only on
 * arm64; elsewhere it does nothing. */
#ifdef __aarch64__

#include <linux/openat2.h>
#include <linux/stat.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "workload.h"

#define PAGE 4096L
#define TAG(pointer) ((long)(pointer) | 0x5aL << 56)

static void names(void)
{
	struct open_how how = { .flags = O_RDONLY };
	struct statx sx;
	struct stat st;
	int fd;

	for (int i = 0; i < 3; i++) {
		fd = OK(SYS(openat, AT_FDCWD, TAG("file"), O_RDWR | O_CREAT, 0644));
		IS(0, SYS(close, fd));
		fd = OK(SYS(openat2, AT_FDCWD, TAG("file"), TAG(&how), sizeof(how)));
		IS(0, SYS(close, fd));
		IS(0, SYS(newfstatat, AT_FDCWD, TAG("file"), TAG(&st), 0));
		IS(0, SYS(statx, AT_FDCWD, TAG("file"), 0, STATX_BASIC_STATS, TAG(&sx)));
		FAILS(ENOENT, SYS(newfstatat, AT_FDCWD, TAG("none"), TAG(&st), 0));
		IS(0, SYS(mkdirat, AT_FDCWD, TAG("dir"), 0755));
		IS(0, SYS(renameat, AT_FDCWD, TAG("dir"), AT_FDCWD, TAG("other")));
		IS(0, SYS(unlinkat, AT_FDCWD, TAG("other"), AT_REMOVEDIR));
	}
}

static void data(int fd)
{
	static char page[PAGE];
	struct flock lock = { .l_type = F_WRLCK, .l_start = 3, .l_len = 5 };
	struct iovec iov[2] = { { page, 1000 }, { page, 13 } };
	off_t from = 7, to = 5000;

	for (int i = 0; i < 3; i++) {
		IS(PAGE, SYS(write, fd, TAG(page), PAGE));
		IS(1013, SYS(pwritev, fd, TAG(iov), 2L, 0L, 0L));
		IS(0, SYS(fcntl, fd, F_SETLK, TAG(&lock)));
		IS(11, SYS(copy_file_range, fd, TAG(&from), fd, TAG(&to), 11L, 0));
	}
}

static void memory(int fd)
{
	long at = OK(SYS(mmap, 0L, 8 * PAGE, (long)PROT_READ, (long)MAP_SHARED, (long)fd, 0L));

	for (int i = 0; i < 3; i++) {
		IS(0, SYS(madvise, TAG(at + i * PAGE), PAGE, MADV_WILLNEED));
		IS(0, SYS(msync, TAG(at), PAGE, MS_SYNC));
	}
	at = OK(SYS(mremap, TAG(at), 8 * PAGE, 13 * PAGE, (long)MREMAP_MAYMOVE));
	IS(0, SYS(munmap, TAG(at + 2 * PAGE), PAGE));
	IS(0, SYS(munmap, TAG(at), 13 * PAGE));
}

int main(void)
{
	int fd;

	/* Before that the kernel refuses them; it accepts any tag in the address of a mapping. */
	FAILS(EFAULT, SYS(openat, AT_FDCWD, TAG("file"), O_RDONLY));
	OK(prctl(PR_SET_TAGGED_ADDR_CTRL, (long)PR_TAGGED_ADDR_ENABLE, 0L, 0L, 0L));
	names();
	fd = OK(SYS(openat, AT_FDCWD, TAG("file"), O_RDWR | O_TRUNC));
	data(fd);
	memory(fd);
	IS(0, SYS(close, fd));
	return 0;
}

#else

int main(void)
{
	return 0;
}

#endif
