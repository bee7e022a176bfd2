// SPDX-License-Identifier: GPL-2.0-or-later
/* Clones of files and of ranges, on filesystems with support (xfs, btrfs) and without: each attempt
 * has a row. */
#include <linux/fs.h>
#include <sys/ioctl.h>

#include "workload.h"

static char buf[65536];

int main(void)
{
	int src = OK(SYS(openat, AT_FDCWD, "src", O_RDWR | O_CREAT | O_TRUNC, 0644));
	int dst = OK(SYS(openat, AT_FDCWD, "dst", O_RDWR | O_CREAT | O_TRUNC, 0644));
	struct {
		struct file_dedupe_range head;
		struct file_dedupe_range_info info[2];
	} dedupe = { .head = { .src_offset = 4096, .src_length = 8192, .dest_count = 1 } };

	IS(65536, SYS(write, src, buf, 65536));
	IS(65536, SYS(write, dst, buf, 65536));
	dedupe.info[0].dest_fd = dst;
	dedupe.info[0].dest_offset = 16384;
	for (int i = 0; i < 3; i++) {
		struct file_clone_range range = { src, 4096 * i, 8192, 4096 };

		SYS(ioctl, dst, (long)FICLONE, (long)src);
		SYS(ioctl, dst, (long)FICLONERANGE, &range);
		SYS(ioctl, src, (long)FIDEDUPERANGE, &dedupe);
	}
	FAILS(EBADF, SYS(ioctl, dst, (long)FICLONE, 999L));
	FAILS(EBADF, SYS(ioctl, 999, (long)FICLONE, (long)src));
	FAILS(EFAULT, SYS(ioctl, dst, (long)FICLONERANGE, 8L));
	FAILS(EFAULT, SYS(ioctl, src, (long)FIDEDUPERANGE, 8L));
	/* Other requests are not recorded operations. */
	FAILS(ENOTTY, SYS(ioctl, src, 0x5401L, buf));
	IS(0, SYS(close, dst));
	IS(0, SYS(close, src));
	return 0;
}
