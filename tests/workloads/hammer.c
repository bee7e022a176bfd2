// SPDX-License-Identifier: GPL-2.0-or-later
/* hammer FILE SECONDS PROCESSES: that many processes read, stat and access FILE as fast as they
 * can, under the name "hammering", under which they do nothing else except exit. Prints the total
 * number of operations of each kind. */
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "workload.h"

enum { READ, GETATTR, ACCESS, EXIT, KINDS };

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void hammer(const char *name, int fd, long end, long *counts)
{
	static char buf[64];
	struct stat st;

	prctl(PR_SET_NAME, "hammering");
	do {
		for (int i = 0; i < 101; i++) {
			for (int k = 0; k < 3; k++, counts[READ]++)
				IS(64, SYS(pread64, fd, buf, 64, 0L));
			OK(SYS(newfstatat, AT_FDCWD, name, &st, 0));
			counts[GETATTR]++;
			OK(SYS(faccessat, AT_FDCWD, name, R_OK));
			counts[ACCESS]++;
		}
	} while (now_ms() < end);
	counts[EXIT]++; /* of this process, from now on */
}

int main(int argc, char **argv)
{
	long(*counts)[KINDS], sums[KINDS] = { 0 }, end;
	int fd, n, status;

	if (argc != 4)
		return 2;
	n = atoi(argv[3]);
	counts = mmap(NULL, n * sizeof(*counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (counts == MAP_FAILED)
		return 1;
	fd = OK(SYS(openat, AT_FDCWD, argv[1], O_RDONLY));
	end = now_ms() + 1000 * atoi(argv[2]);
	for (int i = 0; i < n; i++)
		if (!fork()) {
			hammer(argv[1], fd, end, counts[i]);
			_exit(0);
		}
	for (int i = 0; i < n; i++)
		if (wait(&status) < 0 || status)
			return 1;
	for (int i = 0; i < n; i++)
		for (int k = 0; k < KINDS; k++)
			sums[k] += counts[i][k];
	printf("{\"read\": %ld, \"getattr\": %ld, \"access\": %ld, \"process_exit\": %ld}\n",
	       sums[READ], sums[GETATTR], sums[ACCESS], sums[EXIT]);
	return 0;
}
