// SPDX-License-Identifier: GPL-2.0-or-later
/* Paths on pages that are not resident when the call begins: the kernel reads them in. Short and
 * long ones that the call reads, and one that it never reads. At last one that another thread
 * changes while the call waits, before a signal ends it. */
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "workload.h"

/* Puts TEXT on a page of a file that is neither in a page table nor in the cache. */
static char *unread_page(const char *text)
{
	static char page[8192];
	int fd = OK(SYS(openat, AT_FDCWD, "pages", O_RDWR | O_CREAT, 0600));
	char *at;

	memset(page, 0, sizeof(page));
	strcpy(page, text);
	IS((long)sizeof(page), SYS(pwrite64, fd, page, sizeof(page), 0L));
	OK(fsync(fd));
	OK(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
	at = mmap(NULL, sizeof(page), PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (at == MAP_FAILED)
		exit(99);
	IS(0, SYS(close, fd));
	return at;
}

static pthread_t waiter;

static void interrupted(int sig)
{
}

/* The opening of a FIFO waits for a writer. */
static void *rewrite(void *path)
{
	usleep(300000);
	strcpy(path, "decoy");
	pthread_kill(waiter, SIGUSR1);
	return NULL;
}

static void open_rewritten(void)
{
	struct sigaction action = { .sa_handler = interrupted };
	char *path = unread_page("waited-for");
	pthread_t thread;

	waiter = pthread_self();
	OK(mkfifo("waited-for", 0600));
	OK(sigaction(SIGUSR1, &action, NULL));
	pthread_create(&thread, NULL, rewrite, path);
	FAILS(EINTR, SYS(openat, AT_FDCWD, path, O_RDONLY, 0));
	pthread_join(thread, NULL);
}

int main(void)
{
	char long_name[2048] = "";

	for (int i = 0; i < 20; i++)
		strcat(long_name, "./../pathpages/./././././");
	strcat(long_name, "absent-long");
	FAILS(ENOENT, SYS(unlinkat, AT_FDCWD, unread_page("absent"), 0));
	FAILS(ENOENT, SYS(unlinkat, AT_FDCWD, unread_page(long_name), 0));
	FAILS(ENOENT, SYS(unlinkat, AT_FDCWD, long_name, 0));
	FAILS(ENOENT, SYS(openat, AT_FDCWD, long_name, O_RDONLY, 0));
	FAILS(ENOENT, SYS(renameat2, AT_FDCWD, long_name, AT_FDCWD, long_name, 0));
	open_rewritten();
	return 0;
}
