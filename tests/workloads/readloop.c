// SPDX-License-Identifier: GPL-2.0-or-later
/* readloop FILE SECONDS: reads 4 KiB of FILE again and again, as fast as it can, and prints how
 * many times. */
#include <time.h>

#include "workload.h"

int main(int argc, char **argv)
{
	static char buf[4096];
	struct timespec now, end;
	long reads = 0;
	int fd;

	if (argc != 3)
		return 2;
	fd = OK(SYS(openat, AT_FDCWD, argv[1], O_RDONLY));
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += atoi(argv[2]);
	do {
		for (int i = 0; i < 1009; i++, reads++)
			IS(4096, SYS(pread64, fd, buf, 4096, 0L));
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec < end.tv_sec ||
		 (now.tv_sec == end.tv_sec && now.tv_nsec < end.tv_nsec));
	printf("%ld\n", reads);
	return 0;
}
