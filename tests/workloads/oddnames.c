// SPDX-License-Identifier: GPL-2.0-or-later
/* Every byte that a name may contain, first, in the middle and last, in every operation on
 * names. */
#include <sys/stat.h>
#include <sys/xattr.h>

#include "workload.h"

static char buf[512];

static void all(const char *name, const char *twin)
{
	int fd = OK(SYS(openat, AT_FDCWD, name, O_RDWR | O_CREAT | O_EXCL, 0644));

	IS(1, SYS(write, fd, "x", 1));
	IS(0, SYS(close, fd));
	IS(0, SYS(newfstatat, AT_FDCWD, name, buf, 0));
	IS(0, SYS(linkat, AT_FDCWD, name, AT_FDCWD, twin, 0));
	IS(0, SYS(renameat2, AT_FDCWD, twin, AT_FDCWD, "plain", 0));
	IS(0, SYS(unlinkat, AT_FDCWD, name, 0));
	IS(0, SYS(symlinkat, name, AT_FDCWD, twin));
	OK(SYS(readlinkat, AT_FDCWD, twin, buf, sizeof(buf)));
	IS(0, SYS(unlinkat, AT_FDCWD, twin, 0));
	IS(0, SYS(renameat2, AT_FDCWD, "plain", AT_FDCWD, name, 0));
	IS(0, SYS(fchmodat, AT_FDCWD, name, 0600));
	IS(0, SYS(faccessat, AT_FDCWD, name, F_OK));
	IS(0, SYS(setxattr, name, "user.x", "v", 1, 0));
	IS(0, SYS(unlinkat, AT_FDCWD, name, 0));
	IS(0, SYS(mkdirat, AT_FDCWD, name, 0755));
	IS(0, SYS(chdir, name)); /* it also precedes other names */
	FAILS(ENOENT, SYS(openat, AT_FDCWD, "absent", O_RDONLY));
	IS(0, SYS(chdir, ".."));
	IS(0, SYS(unlinkat, AT_FDCWD, name, AT_REMOVEDIR));
	IS(0, SYS(mknodat, AT_FDCWD, name, S_IFREG | 0644, 0));
	IS(0, SYS(unlinkat, AT_FDCWD, name, 0));
}

int main(void)
{
	static const char *const tricky[] = {
		" -> ",
		"a -> b",
		" -> b",
		"a -> ",
		"->",
		" ->",
		"-> ",
		" ->  -> ",
		"\\",
		"\\\\",
		"\\x41",
		"\\x",
		"\\ -> ",
		"\"\"",
		"\",\"",
		"\n\"",
		"\r\n",
		",,,",
		"\xff\xff\xff",
		"\xf4\x90\x80\x80",
		"\xc0\x80",
		"\xe2\x82",
		"\xe2\x82\xac\xe2",
		"...",
		". ",
		" .",
		"..,",
		"-",
		"--",
		"\t",
	};
	char name[8], twin[16];

	for (int c = 1; c < 256; c++) {
		for (int at = 0; at < 3; at++) {
			if (c == '/')
				continue;
			memcpy(name, "nnn", 4);
			name[at] = (char)c;
			snprintf(twin, sizeof(twin), "%ctwin%c", c, c);
			/* All operations for the bytes that a parser might get wrong. */
			if (at == 1 && (c < 32 || c > 126 || strchr("\",\\>- |'", c)) && c % 7 != 3)
				all(name, twin);
			else
				FAILS(ENOENT, SYS(openat, AT_FDCWD, name, O_RDONLY));
		}
	}
	for (size_t i = 0; i < sizeof(tricky) / sizeof(*tricky); i++) {
		snprintf(twin, sizeof(twin), "%stw", tricky[i]);
		all(tricky[i], twin);
	}
	return 0;
}
