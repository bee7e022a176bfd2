// SPDX-License-Identifier: GPL-2.0-or-later
/* Reused numbers: the inode, the dentry, the descriptor, the memory of an open file. Prints the
 * inodes of the files of which it reads one byte, in order. */
#include <sys/stat.h>

#include "workload.h"

static void look(const char *name, int flags)
{
	struct stat st;
	int fd = OK(SYS(openat, AT_FDCWD, name, O_RDWR | flags, 0644));

	IS(1, SYS(pwrite64, fd, "x", 1, 0L));
	IS(0, fstat(fd, &st));
	IS(1, SYS(pread64, fd, (char[1]){ 0 }, 1, 0L));
	IS(0, SYS(close, fd));
	printf("%llu\n", (unsigned long long)st.st_ino);
}

int main(void)
{
	static char name[32];
	int dir;

	for (int i = 0; i < 61;
	     i++) { /* one name, a new file each time, soon with a reused inode number */
		look("same", O_CREAT | O_EXCL);
		IS(0, SYS(unlinkat, AT_FDCWD, "same", 0));
	}
	for (int i = 0; i < 61; i++) { /* other names, the same number */
		snprintf(name, sizeof(name), "name%d", i);
		look(name, O_CREAT | O_EXCL);
		IS(0, SYS(unlinkat, AT_FDCWD, name, 0));
	}
	for (int i = 0; i < 13; i++) { /* two files, one descriptor */
		look("one", O_CREAT);
		look("two", O_CREAT);
	}
	for (int i = 0; i < 13; i++) { /* replaced */
		look("fresh", O_CREAT | O_EXCL);
		IS(0, SYS(renameat2, AT_FDCWD, "fresh", AT_FDCWD, "two", 0));
		look("two", 0);
	}
	for (int i = 0; i < 13; i++) { /* a directory, then a file of the same name */
		IS(0, SYS(mkdirat, AT_FDCWD, "either", 0755));
		dir = OK(SYS(openat, AT_FDCWD, "either", O_RDONLY | O_DIRECTORY));
		IS(0, SYS(close, dir));
		IS(0, SYS(unlinkat, AT_FDCWD, "either", AT_REMOVEDIR));
		look("either", O_CREAT | O_EXCL);
		IS(0, SYS(unlinkat, AT_FDCWD, "either", 0));
	}
	return 0;
}
