// SPDX-License-Identifier: GPL-2.0-or-later
/* Opening and closing: every call, every form of a name, names that break parsers. */
#include <linux/openat2.h>
#include <sys/stat.h>

#include "workload.h"

#define DEEP 13 /* directories of 255 bytes each: the whole path stays below 4,096 bytes */

static const char *const names[] = {
	"plain",
	"comma,comma",
	"quote\"quote",
	"\"",
	"'",
	"line\nfeed",
	"return\rtab\t",
	"back\\slash",
	"\\x41",
	"control\x01\x1f\x7f",
	"bad\xff\xfe\xc0\xaf",
	"cut\xe2\x82",
	"surrogate\xed\xa0\x80",
	"na\xc3\xafve \xe2\x82\xac \xf0\x9f\x92\xbe",
	"a -> b",
	" blanks ",
	"semi;colon|bar",
	"-",
	"#",
	"=1+1",
	"...",
	"NULL",
	"nan",
};

static void touch(int dir, const char *name)
{
	int fd = OK(SYS(openat, dir, name, O_WRONLY | O_CREAT | O_EXCL, 0600));

	IS(1, SYS(write, fd, name, 1));
	IS(0, SYS(close, fd));
	FAILS(EEXIST, SYS(openat, dir, name, O_WRONLY | O_CREAT | O_EXCL, 0600));
}

static void relative(void)
{
	struct open_how how = { .flags = O_RDONLY };
	int dir, fd;

	OK(SYS(mkdirat, AT_FDCWD, "dir", 0755));
	OK(SYS(mkdirat, AT_FDCWD, "dir/sub", 0755));
	dir = OK(SYS(openat, AT_FDCWD, "dir", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	touch(dir, "file");
	touch(dir, "sub/file");
	touch(AT_FDCWD, "./dir//sub/../other");
	fd = OK(SYS(openat, dir, "..", O_RDONLY));
	IS(0, SYS(close, fd));
	fd = OK(SYS(openat, dir, "sub/../../dir/./file", O_RDWR | O_SYNC));
	IS(0, SYS(close, fd));
	fd = OK(SYS(openat, 999, "/etc/passwd", O_RDONLY)); /* absolute: the dirfd is ignored */
	IS(0, SYS(close, fd));
	fd = OK(SYS(openat2, dir, "sub/file", &how, sizeof(how)));
	IS(0, SYS(close, fd));
	how.resolve = RESOLVE_BENEATH;
	FAILS(EXDEV, SYS(openat2, dir, "../names", &how, sizeof(how)));
	FAILS(EBADF, SYS(openat, 999, "file", O_RDONLY));
	fd = OK(SYS(openat, dir, "file", O_RDONLY));
	FAILS(ENOTDIR, SYS(openat, fd, "below", O_RDONLY));
	IS(0, SYS(close, fd));

	IS(0, SYS(chdir, "dir/sub"));
	fd = OK(SYS(openat, AT_FDCWD, "file", O_RDONLY));
	IS(0, SYS(close, fd));
	FAILS(ENOENT, SYS(openat, AT_FDCWD, "../absent", O_RDONLY));
	FAILS(ENOENT,
	      SYS(openat, AT_FDCWD, "../../../../../../../../../../../../absent", O_RDONLY));
	IS(0, SYS(fchdir, dir));
	fd = OK(SYS(openat, AT_FDCWD, "file", O_RDONLY));
	IS(0, SYS(close, fd));
	IS(0, SYS(chdir, ".."));
	IS(0, SYS(close, dir));

#ifdef SYS_open
	fd = OK(SYS(creat, "created", 0600));
	IS(0, SYS(close, fd));
	fd = OK(SYS(open, "created", O_RDWR | O_TRUNC | O_NOFOLLOW));
	IS(0, SYS(close, fd));
	FAILS(ENOENT, SYS(open, "no/such", O_RDONLY));
	FAILS(EISDIR, SYS(creat, "dir", 0600));
#endif
}

static void symlinks(void)
{
	int fd;

	OK(SYS(symlinkat, "dir/file", AT_FDCWD, "link"));
	OK(SYS(symlinkat, "dir/sub", AT_FDCWD, "linkdir"));
	OK(SYS(symlinkat, "nowhere", AT_FDCWD, "dangling"));
	OK(SYS(symlinkat, "loop", AT_FDCWD, "loop"));
	fd = OK(SYS(openat, AT_FDCWD, "link", O_RDONLY)); /* reaches dir/file */
	OK(SYS(read, fd, &(char){ 0 }, 1));
	IS(0, SYS(close, fd));
	fd = OK(SYS(openat, AT_FDCWD, "linkdir/file", O_RDONLY));
	IS(0, SYS(close, fd));
	fd = OK(SYS(openat, AT_FDCWD, "linkdir/../file", O_RDONLY)); /* dir/file, not ./file */
	IS(0, SYS(close, fd));
	fd = OK(SYS(openat, AT_FDCWD, "link", O_PATH | O_NOFOLLOW)); /* the link itself */
	FAILS(EBADF, SYS(read, fd, &(char){ 0 }, 1));
	IS(0, SYS(close, fd));
	FAILS(ENOENT, SYS(openat, AT_FDCWD, "dangling", O_RDONLY));
	FAILS(ELOOP, SYS(openat, AT_FDCWD, "loop", O_RDONLY));
	FAILS(ELOOP, SYS(openat, AT_FDCWD, "link", O_RDONLY | O_NOFOLLOW));
	FAILS(ENOENT, SYS(openat, AT_FDCWD, "linkdir/../absent", O_RDONLY)); /* folded lexically */
}

static void failing(void)
{
	char longname[257];

	FAILS(ENOENT, SYS(openat, AT_FDCWD, "absent", O_RDONLY));
	FAILS(ENOTDIR, SYS(openat, AT_FDCWD, "dir/file/below", O_RDONLY));
	FAILS(ENOTDIR, SYS(openat, AT_FDCWD, "dir/file", O_RDONLY | O_DIRECTORY));
	FAILS(EISDIR, SYS(openat, AT_FDCWD, "dir", O_WRONLY));
	FAILS(EEXIST, SYS(openat, AT_FDCWD, "dir", O_RDWR | O_CREAT | O_EXCL, 0600));
	FAILS(EFAULT, SYS(openat, AT_FDCWD, (char *)8, O_RDONLY));
	memset(longname, 'n', 256);
	longname[256] = '\0';
	FAILS(ENAMETOOLONG, SYS(openat, AT_FDCWD, longname, O_RDONLY));
	OK(SYS(mkdirat, AT_FDCWD, "closed", 0700));
	SYS(setfsuid, 65534);
	FAILS(EACCES, SYS(openat, AT_FDCWD, "closed/file", O_RDONLY));
	FAILS(EACCES, SYS(openat, AT_FDCWD, "dir/new", O_WRONLY | O_CREAT, 0600));
	SYS(setfsuid, 0);
}

static void odd(void)
{
	int dir;

	OK(SYS(mkdirat, AT_FDCWD, "names", 0755));
	dir = OK(SYS(openat, AT_FDCWD, "names", O_RDONLY | O_DIRECTORY));
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		touch(dir, names[i]);
		IS(0, SYS(unlinkat, dir, names[i], 0));
		FAILS(ENOENT, SYS(openat, dir, names[i], O_RDONLY));
	}
	/* Every byte that a name may contain. */
	for (int c = 1; c < 256; c++) {
		char name[] = { 'b', (char)c, 'e', 0 };

		if (c == '/')
			continue;
		FAILS(ENOENT, SYS(openat, dir, name, O_RDONLY));
	}
	IS(0, SYS(close, dir));
}

static void deep(void)
{
	int dir = OK(SYS(openat, AT_FDCWD, ".", O_RDONLY | O_DIRECTORY));
	char name[256];
	int down;

	name[255] = '\0';
	for (int i = 0; i < DEEP; i++) {
		memset(name, 'a' + i, 255);
		OK(SYS(mkdirat, dir, name, 0755));
		down = OK(SYS(openat, dir, name, O_RDONLY | O_DIRECTORY));
		IS(0, SYS(close, dir));
		dir = down;
	}
	touch(dir, "bottom");
	FAILS(ENOENT, SYS(openat, dir, "absent", O_RDONLY));
	IS(0, SYS(close, dir));

	dir = OK(SYS(openat, AT_FDCWD, ".", O_RDONLY | O_DIRECTORY));
	for (int i = 0; i < 61; i++) { /* many short components */
		OK(SYS(mkdirat, dir, "d", 0755));
		down = OK(SYS(openat, dir, "d", O_RDONLY | O_DIRECTORY));
		IS(0, SYS(close, dir));
		dir = down;
	}
	touch(dir, "bottom");
	IS(0, SYS(close, dir));
}

int main(void)
{
	relative();
	symlinks();
	failing();
	odd();
	deep();
	FAILS(EBADF, SYS(close, 999));
	FAILS(EBADF, SYS(close, -1));
	return 0;
}
