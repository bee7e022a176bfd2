// SPDX-License-Identifier: GPL-2.0-or-later
/* numbered FILE STAMPS N PAUSE_US: writes one byte to FILE N times, the Ith at offset I, and stores
 * in STAMPS when it was done: 64 bits of CLOCK_MONOTONIC ns, the Ith for the Ith write. STAMPS is a
 * shared mapping, so that storing makes no system call. Sleeps after every 100 writes. */
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <time.h>

#include "workload.h"

int main(int argc, char **argv)
{
	volatile uint64_t *stamps;
	struct timespec now;
	long n, pause_us;
	int fd, map;

	if (argc != 5)
		return 2;
	n = atol(argv[3]);
	pause_us = atol(argv[4]);
	fd = OK(SYS(openat, AT_FDCWD, argv[1], O_RDWR | O_CREAT | O_TRUNC, 0600));
	map = OK(SYS(openat, AT_FDCWD, argv[2], O_RDWR | O_CREAT | O_TRUNC, 0600));
	OK(SYS(ftruncate, map, n * 8));
	stamps = mmap(NULL, n * 8, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
	if (stamps == MAP_FAILED)
		return 1;
	for (long i = 0; i < n; i++) {
		IS(1, SYS(pwrite64, fd, "x", 1, i));
		clock_gettime(CLOCK_MONOTONIC, &now);
		stamps[i] = now.tv_sec * 1000000000ull + now.tv_nsec;
		if (i % 100 == 99 && pause_us) {
			struct timespec pause = { 0, pause_us * 1000 };

			nanosleep(&pause, NULL);
		}
	}
	return 0;
}
