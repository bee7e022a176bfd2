// SPDX-License-Identifier: GPL-2.0-or-later
/* Paths of maximum length: 4,000 bytes and more, in few components and in many. */
#include "workload.h"

static char path[8192], other[8192], buf[512];

/* Creates directories with names of LENGTH bytes until the whole path has about TOTAL, and returns
 * the last one. Goes down step by step, as strace would otherwise print the whole path a thousand
 * times. */
static int descend(size_t length, size_t total, int *ret_top)
{
	char name[256];
	size_t have;
	int dir;

	if (!getcwd(path, sizeof(path)))
		exit(98);
	have = strlen(path);
	memset(name, 'n', length);
	name[length] = '\0';
	*ret_top = OK(SYS(openat, AT_FDCWD, ".", O_RDONLY | O_DIRECTORY));
	for (; have + 1 + length <= total; have += 1 + length) {
#ifdef SYS_mkdir
		OK(SYS(mkdir, name, 0755));
#else
		OK(SYS(mkdirat, AT_FDCWD, name, 0755));
#endif
		OK(SYS(chdir, name));
	}
	dir = OK(SYS(openat, AT_FDCWD, ".", O_RDONLY | O_DIRECTORY));
	OK(SYS(fchdir, *ret_top));
	return dir;
}

static void work(int dir)
{
	int fd;

	for (int i = 0; i < 3; i++) {
		fd = OK(SYS(openat, dir, "file", O_RDWR | O_CREAT, 0644));
		IS(5, SYS(write, fd, "hello", 5));
		IS(5, SYS(pread64, fd, buf, 10, 0L));
		IS(0, SYS(close, fd));
		FAILS(ENOENT, SYS(openat, dir, "absent", O_RDONLY));
		IS(0, SYS(renameat2, dir, "file", dir, "moved", 0));
		IS(0, SYS(linkat, dir, "moved", dir, "file", 0));
		IS(0, SYS(unlinkat, dir, "moved", 0));
		IS(0, SYS(newfstatat, dir, "file", buf, 0));
		IS(0, SYS(faccessat, dir, "file", R_OK));
		IS(0, SYS(unlinkat, dir, "file", 0));
	}
}

int main(void)
{
	static const struct {
		size_t length, total;
	} shapes[] = {
		{ 1, 1009 }, { 1, 4003 }, { 7, 4001 }, { 61, 3989 }, { 255, 4057 },
	};
	int top, dir;
	char name[16];

	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
		snprintf(name, sizeof(name), "shape%zu", i);
		IS(0, SYS(mkdirat, AT_FDCWD, name, 0755));
		IS(0, SYS(chdir, name));
		dir = descend(shapes[i].length, shapes[i].total, &top);
		work(dir);
		/* A long path that exists, and one that is too long. */
		memset(path, 'p', sizeof(path));
		for (size_t at = 200; at < 4090; at += 201)
			path[at] = '/';
		path[4080] = '\0';
		FAILS(ENOENT, SYS(openat, top, path, O_RDONLY));
		memcpy(other, path, sizeof(path));
		FAILS(ENOENT, SYS(renameat2, top, path, top, other, 0));
		path[4080] = 'p';
		path[4095] = '\0';
		FAILS(ENOENT, SYS(openat, top, path, O_RDONLY));
		path[4095] = 'p';
		path[5000] = '\0';
		FAILS(ENAMETOOLONG, SYS(openat, top, path, O_RDONLY));
		IS(0, SYS(close, dir));
		IS(0, SYS(close, top));
		IS(0, SYS(chdir, ".."));
	}
	return 0;
}
