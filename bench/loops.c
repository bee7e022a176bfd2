// SPDX-License-Identifier: GPL-2.0-or-later
/* loops pread FILE CALLS | loops getppid CALLS: the same system call again and again. Prints 'NS
 * CALLS CPU': nanoseconds a call took, by CLOCK_MONOTONIC around the loop alone, so that neither
 * the start of the process nor that of a tracer around it is in the number; calls made, warm-up
 * included; CPU nanoseconds of the process. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SIZE 4096
#define WARM_UP 1000 /* calls before the clock starts */

static double now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int usage(void)
{
	fputs("usage: loops pread FILE CALLS | loops getppid CALLS\n", stderr);
	return 2;
}

int main(int argc, char **argv)
{
	char buf[SIZE];
	double start = 0;
	long calls;
	int fd = -1;

	if (argc < 3)
		return usage();
	calls = atol(argv[argc - 1]);
	if (calls <= 0)
		return usage();
	if (argc == 4 && !strcmp(argv[1], "pread")) {
		fd = open(argv[2], O_RDONLY);
		if (fd < 0) {
			perror(argv[2]);
			return 1;
		}
		for (long i = -WARM_UP; i < calls; i++) {
			if (i == 0)
				start = now_ns(CLOCK_MONOTONIC);
			if (pread(fd, buf, SIZE, 0) != SIZE) {
				fputs("loops: short read\n", stderr);
				return 1;
			}
		}
	} else if (argc == 3 && !strcmp(argv[1], "getppid")) {
		for (long i = -WARM_UP; i < calls; i++) {
			if (i == 0)
				start = now_ns(CLOCK_MONOTONIC);
			syscall(SYS_getppid);
		}
	} else {
		return usage();
	}
	printf("%.1f %ld %.0f\n", (now_ns(CLOCK_MONOTONIC) - start) / (double)calls,
	       calls + WARM_UP, now_ns(CLOCK_PROCESS_CPUTIME_ID));
	return 0;
}
