// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dataset/session.h"
#include "root.h"

#define ID "0123456789ABCDEF"
#define STRANGER 12345

static char dir[64];
static mode_t mask;

static void setup(void)
{
	strcpy(dir, "/tmp/iotrc-session-XXXXXX");
	cr_assert(mkdtemp(dir));
	cr_assert_eq(chmod(dir, 0777), 0);
	cr_assert_eq(chdir(dir), 0);
	umask(mask = umask(0));
}

static void teardown(void)
{
	char cmd[128];

	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	cr_assert_eq(system(cmd), 0);
}

TestSuite(session, .init = setup, .fini = teardown, .timeout = 60);

static int make(const char *out, struct session **ret)
{
	return session__new(ret, out, "linux_v1", ID, -1, -1);
}

static struct stat stat_of(const char *path)
{
	struct stat st;

	cr_assert_eq(lstat(path, &st), 0, "%s", path);
	return st;
}

Test(session, layout)
{
	static const char *const levels[] = { "o", "o/linux_v1", ("o/linux_v1/" ID) };
	char shape[64] = "o/linux_v1/" ID "/dddddddd_dddddd_ddd", *p;
	struct session *s;
	struct stat st, by_fd;

	cr_assert_eq(make("o//", &s), 0);
	p = strdup(s->path);
	for (size_t i = strlen("o/linux_v1/" ID); p[i]; i++)
		if (p[i] >= '0' && p[i] <= '9')
			p[i] = 'd';
	cr_assert_str_eq(p, shape);
	free(p);
	for (size_t i = 0; i < 3; i++)
		cr_assert_eq(stat_of(levels[i]).st_mode, S_IFDIR | (0750 & ~mask));
	st = stat_of(s->path);
	cr_assert_eq(st.st_mode, S_IFDIR | (0750 & ~mask));
	cr_assert_eq(fstat(s->fd, &by_fd), 0);
	cr_assert_eq(st.st_ino, by_fd.st_ino);
	cr_assert(fcntl(s->fd, F_GETFD) & FD_CLOEXEC);
	cr_assert_null(session__free(s));
	cr_assert_null(session__free(NULL));

	cr_assert_eq(make(".", &s), 0);
	cr_assert(!strncmp(s->path, "./linux_v1/", 11), "%s", s->path);
	session__free(s);
}

Test(session, each_its_own_under_a_rush)
{
	enum { PROCESSES = 8, EACH = 20 };
	int status;
	FILE *p;
	int n;

	for (int i = 0; i < PROCESSES; i++)
		if (!fork()) {
			struct session *s;

			for (int k = 0; k < EACH; k++) {
				int fd;

				if (make("o", &s) < 0)
					_exit(1);
				fd = openat(s->fd, "mine", O_CREAT | O_EXCL | O_WRONLY, 0600);
				if (fd < 0)
					_exit(2);
				close(fd);
				session__free(s);
			}
			_exit(0);
		}
	for (int i = 0; i < PROCESSES; i++) {
		cr_assert_gt(wait(&status), 0);
		cr_assert_eq(status, 0);
	}
	p = popen("ls o/linux_v1/" ID " | wc -l", "r");
	cr_assert_eq(fscanf(p, "%d", &n), 1);
	pclose(p);
	cr_assert_eq(n, PROCESSES * EACH);
}

Test(session, planted_symlinks)
{
	struct session *s;

	cr_assert_eq(mkdir("elsewhere", 0777), 0);
	cr_assert_eq(mkdir("o", 0777), 0);
	cr_assert_eq(symlink("../elsewhere", "o/linux_v1"), 0);
	cr_assert_eq(make("o", &s), -ELOOP);
	cr_assert_eq(unlink("o/linux_v1"), 0);
	cr_assert_eq(mkdir("o/linux_v1", 0777), 0);
	cr_assert_eq(symlink("../../elsewhere", "o/linux_v1/" ID), 0);
	cr_assert_eq(make("o", &s), -ELOOP);
	cr_assert_eq(symlink("nowhere", "dangling"), 0);
	cr_assert_eq(make("dangling", &s), -ENOENT);
	cr_assert_eq(rmdir("elsewhere"), 0, "something was written there");

	/* <out> itself: it may be ours. */
	cr_assert_eq(mkdir("real", 0777), 0);
	cr_assert_eq(symlink("real", "link"), 0);
	cr_assert_eq(make("link", &s), 0);
	session__free(s);
	cr_assert_eq(access("real/linux_v1", F_OK), 0);
	root__skip_unless();
	cr_assert_eq(lchown("link", STRANGER, STRANGER), 0);
	cr_assert_eq(make("link", &s), -ELOOP);
	cr_assert_eq(session__new(&s, "link", "linux_v1", ID, STRANGER, STRANGER), 0);
	session__free(s);
}

Test(session, owner_of_what_is_made)
{
	struct session *s;
	struct stat st;
	uid_t uid;
	gid_t gid;
	int fd;

	unsetenv("SUDO_UID");
	unsetenv("SUDO_GID");
	session__owner(&uid, &gid);
	cr_assert(uid == (uid_t)-1 && gid == (gid_t)-1);
	setenv("SUDO_UID", "12345", 1);
	setenv("SUDO_GID", "-3", 1);
	session__owner(&uid, &gid);
	cr_assert(uid == (uid_t)-1 && gid == (gid_t)-1);
	setenv("SUDO_GID", "23456", 1);
	session__owner(&uid, &gid);
	if (geteuid() != 0) {
		cr_assert(uid == (uid_t)-1 && gid == (gid_t)-1);
		root__skip_unless();
	}
	cr_assert(uid == 12345 && gid == 23456);

	cr_assert_eq(mkdir("o", 0755), 0);
	cr_assert_eq(session__new(&s, "o", "linux_v1", ID, uid, gid), 0);
	cr_assert_eq(stat_of("o").st_uid, 0, "it was there before");
	st = stat_of("o/linux_v1");
	cr_assert(st.st_uid == uid && st.st_gid == gid);
	st = stat_of(s->path);
	cr_assert(st.st_uid == uid && st.st_gid == gid);

	fd = session__create(s->fd, "f", uid, gid);
	cr_assert_geq(fd, 0);
	cr_assert_eq(fstat(fd, &st), 0);
	cr_assert(st.st_uid == uid && st.st_gid == gid);
	cr_assert_eq(st.st_mode, S_IFREG | (0640 & ~mask));
	close(fd);
	cr_assert_eq(session__create(s->fd, "f", uid, gid), -EEXIST);
	session__free(s);
}

static int make_as_stranger(const char *out)
{
	int status;

	if (!fork()) {
		struct session *s;

		if (setgroups(0, NULL) < 0 || setgid(STRANGER) < 0 || setuid(STRANGER) < 0)
			_exit(255);
		_exit(-make(out, &s));
	}
	wait(&status);
	return -WEXITSTATUS(status);
}

Test(session, refusals)
{
	struct session *s;
	int fd;

	cr_assert_eq(make("", &s), -ENOENT);
	cr_assert_eq(make("a/b", &s), -ENOENT);
	fd = open("file", O_CREAT | O_WRONLY, 0600);
	close(fd);
	cr_assert_eq(make("file", &s), -ENOTDIR);
	cr_assert_eq(make("file/o", &s), -ENOTDIR);
	cr_assert_eq(session__new(&s, "o", "../x", ID, -1, -1), -EINVAL);
	cr_assert_eq(session__new(&s, "o", "..", ID, -1, -1), -EINVAL);
	cr_assert_eq(session__new(&s, "o", "", ID, -1, -1), -EINVAL);
	cr_assert_neq(access("o", F_OK), 0);
	root__skip_unless();

	cr_assert_eq(mkdir("closed", 0700), 0);
	cr_assert_eq(make_as_stranger("closed"), -EACCES);
	cr_assert_eq(make_as_stranger("closed/o"), -EACCES);
	cr_assert_eq(mkdir("readable", 0755), 0);
	cr_assert_eq(make_as_stranger("readable"), -EACCES);
	cr_assert_eq(make_as_stranger("theirs"), 0);
	/* A parent without write permission is no problem if the directory exists. */
	cr_assert_eq(chmod(".", 0755), 0);
	cr_assert_eq(make_as_stranger("theirs"), 0);

	root__tmpfs("readable", "nr_inodes=4");
	cr_assert_eq(make("readable/o", &s), -ENOSPC);
	cr_assert_eq(mount("tmpfs", "readable", "tmpfs", MS_REMOUNT | MS_RDONLY, NULL), 0);
	cr_assert_eq(make("readable", &s), -EROFS);
	cr_assert_eq(make("readable/p", &s), -EROFS);
	umount("readable");
}

Test(session, stamp)
{
	struct timespec t = { .tv_sec = 1000000000, .tv_nsec = 7999999 };
	char stamp[STAMP_SIZE];

	setenv("TZ", "UTC-2", 1);
	tzset();
	session__stamp(stamp, &t);
	cr_assert_str_eq(stamp, "20010909_034640_007");
}
