// SPDX-License-Identifier: GPL-2.0-or-later
/* Threads that use the same files, and the same descriptor numbers, at the same time. The results
 * of each thread depend only on that thread. */
#include <pthread.h>

#include "workload.h"

#define THREADS 4
#define ROUNDS 101

static int shared;

static void *run(void *arg)
{
	long me = (long)arg;
	char own[32], moved[32], buf[64];
	int fd;

	snprintf(own, sizeof(own), "own%ld", me);
	snprintf(moved, sizeof(moved), "moved%ld", me);
	for (long i = 0; i < ROUNDS; i++) {
		IS(1 + i % 7, SYS(pread64, shared, buf, 1 + i % 7, i % 11));
		fd = OK(SYS(openat, AT_FDCWD, own, O_RDWR | O_CREAT,
			    0644)); /* a number that another thread has just used */
		IS(3, SYS(pwrite64, fd, "abc", 3, 0L));
		IS(0, SYS(renameat2, AT_FDCWD, own, AT_FDCWD, moved, 0));
		IS(2, SYS(read, fd, buf, 2));
		IS(0, SYS(unlinkat, AT_FDCWD, moved, 0));
		IS(1, SYS(read, fd, buf, 2));
		IS(0, SYS(close, fd));
		fd = OK(SYS(openat, AT_FDCWD, "common", O_RDONLY));
		IS(5, SYS(read, fd, buf, 5));
		FAILS(ENOENT, SYS(openat, AT_FDCWD, own, O_RDONLY));
		IS(0, SYS(close, fd));
	}
	return NULL;
}

int main(void)
{
	pthread_t threads[THREADS];

	shared = OK(SYS(openat, AT_FDCWD, "common", O_RDWR | O_CREAT | O_TRUNC, 0644));
	IS(29, SYS(write, shared, "twenty-nine bytes of content.", 29));
	for (long i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, run, (void *)i))
			return 97;
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	IS(0, SYS(close, shared));
	return 0;
}
