// SPDX-License-Identifier: GPL-2.0-or-later
/* alternate calls|confined|uring FILE: four threads read single bytes of FILE until stdin is
 * closed. Each read is followed by something that is not recorded: a sleep or, in a ring, requests
 * that do nothing. Every read returns 1. */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <time.h>

#include "uring.h"

#define THREADS 4
#define NOPS 4

static const struct timespec nap = { .tv_nsec = 50 * 1000 };
static const char *file;
static volatile bool ended;

static void *read_and_sleep(void *arg)
{
	int fd = OK(SYS(openat, AT_FDCWD, file, O_RDONLY));
	char byte;

	while (!ended) {
		IS(1, SYS(pread64, fd, &byte, 1, 0));
		IS(0, SYS(clock_nanosleep, CLOCK_MONOTONIC, 0, &nap, NULL));
	}
	return arg;
}

static void *read_by_ring(void *arg)
{
	int fd = OK(SYS(openat, AT_FDCWD, file, O_RDONLY));
	struct ring ring;
	char byte;

	if (ring__new(&ring, 0))
		exit(98);
	while (!ended) {
		ring__ask(&ring, IORING_OP_READ, fd, &byte, 1, 0);
		IS(1, ring__one(&ring));
		for (int i = 0; i < NOPS; i++) {
			ring__next(&ring, IORING_OP_NOP, -1);
			IS(0, ring__one(&ring));
		}
		IS(0, SYS(clock_nanosleep, CLOCK_MONOTONIC, 0, &nap, NULL));
	}
	return arg;
}

/* A filter that lets each call pass. The kernel enters such a thread's calls by the same way as
 * those that a filter answers. */
static void confine(void)
{
	struct sock_filter pass = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog filter = { .len = 1, .filter = &pass };

	OK(SYS(prctl, PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L));
	OK(SYS(seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter));
}

int main(int argc, char **argv)
{
	void *(*run)(void *) = read_and_sleep;
	pthread_t threads[THREADS];
	char end;

	if (argc != 3)
		return 2;
	file = argv[2];
	if (!strcmp(argv[1], "uring"))
		run = read_by_ring;
	if (!strcmp(argv[1], "confined"))
		confine();
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, run, NULL))
			return 97;
	OK(SYS(read, STDIN_FILENO, &end, 1));
	ended = true;
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
