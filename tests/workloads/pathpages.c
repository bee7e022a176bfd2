// SPDX-License-Identifier: GPL-2.0-or-later
/* Paths on pages that are not resident when the call begins: the kernel reads them in. Short and
 * long ones that the call reads, and one that it never reads. */
#include <sys/mman.h>

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
	at = mmap(NULL, sizeof(page), PROT_READ, MAP_PRIVATE, fd, 0);
	if (at == MAP_FAILED)
		exit(99);
	IS(0, SYS(close, fd));
	return at;
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
	return 0;
}
