// SPDX-License-Identifier: GPL-2.0-or-later
/* A program that changes its paths while calls on them are in progress, so that a tracer would read
 * other paths than the kernel. N is the first argument, 500 by default; prints the name and the
 * inode number of each file that it has really removed. */
#include <pthread.h>
#include <sys/stat.h>

#include "workload.h"

static volatile int go, stop;
static char path[64];

/* Gives the kernel a moment, then overwrites the path with another name. */
static void *rewrite(void *arg)
{
	while (!stop) {
		if (!go)
			continue;
		access("/proc/self/cwd", F_OK);
		memcpy(path, "decoy-", 6);
		go = 0;
	}
	return arg;
}

static void unlink_rewritten(int n)
{
	for (int i = 0; i < n; i++) {
		struct stat st;
		char name[64];

		snprintf(name, sizeof(name), "secret%04d", i);
		workload__create(name);
		OK(stat(name, &st));
		memset(path, 0, sizeof(path));
		strcpy(path, name);
		__sync_synchronize();
		go = 1;
		if (!SYS(unlinkat, AT_FDCWD, path, 0))
			printf("%s %lu\n", name, (unsigned long)st.st_ino);
		while (go)
			;
		unlink(name);
	}
}

/* Not a race: the call's own answer overwrites its path. */
static void overwritten_by_the_answer(void)
{
	static struct stat st;
	static char buf[4096];

	OK(symlink("innocent/target", "evil-link"));
	strcpy(buf, "evil-link");
	OK(SYS(readlinkat, AT_FDCWD, buf, buf, sizeof(buf)));
	OK(unlink("evil-link"));
	workload__create("evil-file");
	strcpy((char *)&st, "evil-file");
	OK(SYS(newfstatat, AT_FDCWD, &st, &st, 0));
	strcpy(buf, "evil-file");
	OK(SYS(listxattr, buf, buf, sizeof(buf)) + 1);
	OK(unlink("evil-file"));
}

int main(int argc, char **argv)
{
	pthread_t thread;

	pthread_create(&thread, NULL, rewrite, NULL);
	unlink_rewritten(argc > 1 ? atoi(argv[1]) : 500);
	stop = 1;
	pthread_join(thread, NULL);
	overwritten_by_the_answer();
	return 0;
}
