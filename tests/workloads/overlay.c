// SPDX-License-Identifier: GPL-2.0-or-later
/* Files of an overlay: their names are those by which they were opened, whichever layer they are
 * in. */
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>

#include "workload.h"

static char buf[4096];

static void make(const char *name)
{
	int fd = OK(SYS(openat, AT_FDCWD, name, O_WRONLY | O_CREAT, 0644));

	IS(7, SYS(write, fd, "content", 7));
	IS(0, SYS(close, fd));
}

int main(void)
{
	static const char *const dirs[] = { "base",       "base/lower", "base/lower/dir",
					    "base/upper", "base/work",  "merged" };
	char cwd[1024], options[4096];
	int fd, wr, dir;
	long at;

	OK(SYS(unshare, CLONE_NEWNS));
	IS(0, SYS(mount, NULL, "/", NULL, (long)(MS_REC | MS_PRIVATE), NULL));
	for (int i = 0; i < 6; i++)
		IS(0, SYS(mkdirat, AT_FDCWD, dirs[i], 0755));
	/* On a filesystem of its own: the directory may be on an overlay already. */
	IS(0, SYS(mount, "layers", "base", "tmpfs", 0L, NULL));
	for (int i = 1; i < 5; i++)
		IS(0, SYS(mkdirat, AT_FDCWD, dirs[i], 0755));
	make("base/lower/file");
	make("base/lower/dir/inner");
	if (!getcwd(cwd, sizeof(cwd)))
		return 98;
	snprintf(options, sizeof(options),
		 "lowerdir=%s/base/lower,upperdir=%s/base/upper,workdir=%s/base/work", cwd, cwd,
		 cwd);
	if (SYS(mount, "union", "merged", "overlay", 0L, options) == -1) {
		puts("no overlay"); /* this kernel has none */
		return 0;
	}
	for (int i = 0; i < 3; i++) {
		char name[64], moved[64];

		fd = OK(SYS(openat, AT_FDCWD, "merged/file", O_RDONLY));
		IS(7, SYS(read, fd, buf, 11));
		at = OK(SYS(mmap, 0L, 4096L, (long)PROT_READ, (long)MAP_SHARED, (long)fd, 0L));
		wr = OK(SYS(openat, AT_FDCWD, "merged/file",
			    O_RDWR)); /* copied up by the first write */
		IS(3, SYS(pwrite64, wr, "new", 3, 0L));
		IS(7, SYS(pread64, fd, buf, 11, 0L));
		IS(0, SYS(fsync, wr));
		IS(0, SYS(munmap, at, 4096L));
		IS(0, SYS(close, wr));
		IS(0, SYS(close, fd));
		snprintf(name, sizeof(name), "merged/made%d", i);
		snprintf(moved, sizeof(moved), "merged/dir/moved%d", i);
		make(name);
		fd = OK(SYS(openat, AT_FDCWD, name, O_RDONLY));
		IS(0, SYS(renameat2, AT_FDCWD, name, AT_FDCWD, moved, 0));
		IS(7, SYS(read, fd, buf, 11));
		IS(0, SYS(unlinkat, AT_FDCWD, moved, 0));
		IS(7, SYS(pread64, fd, buf, 11, 0L));
		IS(0, SYS(close, fd));
		dir = OK(SYS(openat, AT_FDCWD, "merged/dir", O_RDONLY | O_DIRECTORY));
		while (OK(SYS(getdents64, dir, buf, sizeof(buf))))
			;
		fd = OK(SYS(openat, dir, "inner", O_RDONLY));
		IS(7, SYS(read, fd, buf, 11));
		IS(0, SYS(close, fd));
		FAILS(ENOENT, SYS(openat, dir, "absent", O_RDONLY));
		IS(0, SYS(close, dir));
		/* The layer's file is another file with another name. */
		fd = OK(SYS(openat, AT_FDCWD, "base/lower/file", O_RDONLY));
		IS(7, SYS(read, fd, buf, 11));
		IS(0, SYS(close, fd));
	}
	IS(0, SYS(umount2, "merged", MNT_DETACH));
	return 0;
}
