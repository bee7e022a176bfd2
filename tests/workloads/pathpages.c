// SPDX-License-Identifier: GPL-2.0-or-later
/* Paths on pages that are not resident when the call begins: the kernel reads them in. Short and
 * long ones that the call reads, and one that it never reads. Then one that another thread changes
 * while the call waits, before a signal ends it. At last an address, an event and an option. */
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "workload.h"

/* The N bytes at DATA on a page of a file that is in no page table, and not in the cache. */
static void *unread_page(const void *data, size_t n)
{
	static char page[8192];
	int fd = OK(SYS(openat, AT_FDCWD, "pages", O_RDWR | O_CREAT, 0600));
	void *at;

	memset(page, 0, sizeof(page));
	memcpy(page, data, n);
	IS((long)sizeof(page), SYS(pwrite64, fd, page, sizeof(page), 0L));
	OK(fsync(fd));
	OK(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
	at = mmap(NULL, sizeof(page), PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (at == MAP_FAILED)
		exit(99);
	IS(0, SYS(close, fd));
	return at;
}

static char *unread_text(const char *text)
{
	return unread_page(text, strlen(text));
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
	char *path = unread_text("waited-for");
	pthread_t thread;

	waiter = pthread_self();
	OK(mkfifo("waited-for", 0600));
	OK(sigaction(SIGUSR1, &action, NULL));
	pthread_create(&thread, NULL, rewrite, path);
	FAILS(EINTR, SYS(openat, AT_FDCWD, path, O_RDONLY, 0));
	pthread_join(thread, NULL);
}

static void other_arguments(void)
{
	struct sockaddr_un address = { AF_UNIX, "nobody" };
	struct epoll_event event = { .events = EPOLLPRI };
	int ends[2], priority = 3, instance = OK(SYS(epoll_create1, 0)),
		     s = OK(SYS(socket, AF_UNIX, SOCK_STREAM, 0));

	OK(SYS(pipe2, ends, 0));
	FAILS(ENOENT, SYS(connect, s, unread_page(&address, sizeof(address)), sizeof(address)));
	IS(0, SYS(epoll_ctl, instance, EPOLL_CTL_ADD, ends[0], unread_page(&event, sizeof(event))));
	IS(0, SYS(epoll_ctl, instance, EPOLL_CTL_MOD, ends[0], &event));
	IS(0, SYS(setsockopt, s, SOL_SOCKET, SO_PRIORITY, unread_page(&priority, 4), 4));
	IS(0, SYS(setsockopt, s, SOL_SOCKET, SO_PRIORITY, &priority, 4));
}

int main(void)
{
	char long_name[2048] = "";

	for (int i = 0; i < 20; i++)
		strcat(long_name, "./../pathpages/./././././");
	strcat(long_name, "absent-long");
	FAILS(ENOENT, SYS(unlinkat, AT_FDCWD, unread_text("absent"), 0));
	FAILS(ENOENT, SYS(unlinkat, AT_FDCWD, unread_text(long_name), 0));
	FAILS(ENOENT, SYS(unlinkat, AT_FDCWD, long_name, 0));
	FAILS(ENOENT, SYS(openat, AT_FDCWD, long_name, O_RDONLY, 0));
	FAILS(ENOENT, SYS(renameat2, AT_FDCWD, long_name, AT_FDCWD, long_name, 0));
	open_rewritten();
	other_arguments();
	return 0;
}
