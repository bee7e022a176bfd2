// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataset/session_lock.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "root.h"

#define MEMBER 65533 /* a member of the group, but not the owner */

static int dir;

static void make(void)
{
	char name[] = "/tmp/iotrc-lock-XXXXXX";

	cr_assert(mkdtemp(name));
	cr_assert_eq(chmod(name, 0750), 0);
	cr_assert_eq(chdir(name), 0);
	dir = open(".", O_RDONLY | O_DIRECTORY);
	cr_assert_geq(dir, 0);
}

TestSuite(session_lock, .init = make);

Test(session_lock, one_at_a_time)
{
	int lock = session_lock__new(dir);

	cr_assert_geq(lock, 0);
	cr_assert(session_lock__held(dir));
	cr_assert_eq(session_lock__new(dir), -EWOULDBLOCK);
	cr_assert_eq(session_lock__take(dir, SESSION_LOCK_ALL), -EWOULDBLOCK);
	cr_assert(session_lock__held(dir), "looking at it let it go");
	close(lock);
	cr_assert_not(session_lock__held(dir));
	lock = session_lock__take(dir, SESSION_LOCK_ALL);
	cr_assert_geq(lock, 0);
	cr_assert(session_lock__held(dir));
	close(lock);
}

/* A recorder, a process that sends its finished files, and one that repairs or removes sessions. */
Test(session_lock, finished_files_are_sent_meanwhile)
{
	int record = session_lock__new(dir), send = session_lock__take(dir, SESSION_LOCK_SEND);

	cr_assert_geq(send, 0);
	cr_assert_eq(session_lock__take(dir, SESSION_LOCK_SEND), -EWOULDBLOCK);
	cr_assert_eq(session_lock__take(dir, SESSION_LOCK_CHANGE), -EWOULDBLOCK);
	close(record);
	/* Its recorder is gone, and may be followed by one that repairs it. */
	cr_assert_not(session_lock__held(dir), "who sends does not record");
	cr_assert_eq(session_lock__take(dir, SESSION_LOCK_ALL), -EWOULDBLOCK);
	record = session_lock__take(dir, SESSION_LOCK_CHANGE);
	cr_assert_geq(record, 0);
	close(send);
	cr_assert_eq(session_lock__take(dir, SESSION_LOCK_ALL), -EWOULDBLOCK);
	close(record);
}

/* Recorders of older versions locked the whole file. */
Test(session_lock, nothing_is_sent_beside_an_older_recorder)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open(LOCK_NAME, O_RDWR | O_CREAT, 0600);

	cr_assert_eq(fcntl(fd, F_OFD_SETLK, &whole), 0);
	cr_assert(session_lock__held(dir));
	cr_assert_eq(session_lock__take(dir, SESSION_LOCK_SEND), -EWOULDBLOCK);
	close(fd);
}

/* Any process that can open the directory can lock it with flock(2). */
Test(session_lock, flock_of_the_directory_is_no_lock)
{
	int lock = session_lock__new(dir), other = open(".", O_RDONLY);

	close(lock);
	cr_assert_eq(flock(other, LOCK_EX), 0);
	cr_assert_not(session_lock__held(dir));
	lock = session_lock__take(dir, SESSION_LOCK_ALL);
	cr_assert_geq(lock, 0);
	close(lock);
}

static int as_a_member_of_the_group(void)
{
	struct flock read = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
	int fd;

	if (setgroups(0, NULL) || setresuid(MEMBER, MEMBER, MEMBER))
		return 1;
	if (open(".", O_RDONLY | O_DIRECTORY) < 0)
		return 2;
	fd = open(LOCK_NAME, O_RDONLY);
	if (fd >= 0 && !fcntl(fd, F_OFD_SETLK, &read))
		return 3;
	if (session_lock__take(dir, SESSION_LOCK_ALL) != -EACCES)
		return 4;
	return session_lock__held(dir) ? 0 : 5; /* it cannot know */
}

Test(session_lock, the_group_cannot_take_it)
{
	int lock = session_lock__new(dir), status;
	pid_t child;

	root__skip_unless();
	close(lock);
	child = fork();
	if (!child)
		_exit(as_a_member_of_the_group());
	waitpid(child, &status, 0);
	cr_assert_eq(status, 0, "%d", WEXITSTATUS(status));
}

/* From a recorder that locked the directory. */
Test(session_lock, an_older_session)
{
	int other = open(".", O_RDONLY), lock;

	cr_assert_eq(flock(other, LOCK_EX), 0);
	cr_assert(session_lock__held(dir));
	cr_assert_eq(session_lock__take(dir, SESSION_LOCK_ALL), -EWOULDBLOCK);
	cr_assert_eq(session_lock__new(dir), -EWOULDBLOCK);
	unlink(LOCK_NAME);
	close(other);
	cr_assert_not(session_lock__held(dir));
	lock = session_lock__take(dir, SESSION_LOCK_ALL);
	cr_assert_geq(lock, 0);
	cr_assert(access(LOCK_NAME, F_OK) < 0, "repairing an old session adds nothing to it");
	cr_assert(session_lock__held(dir));
	cr_assert_eq(session_lock__take(dir, SESSION_LOCK_ALL), -EWOULDBLOCK);
	close(lock);
	cr_assert_not(session_lock__held(dir));
}

/* Complete sessions there need no repair, and must not be reported as faulty. */
Test(session_lock, a_read_only_file_system)
{
	int lock, ro;

	root__skip_unless();
	cr_assert_eq(mkdir("disk", 0750), 0);
	root__tmpfs("disk", "mode=0750");
	dir = open("disk", O_RDONLY | O_DIRECTORY);
	lock = session_lock__new(dir);
	cr_assert_geq(lock, 0);
	close(lock);
	cr_assert_eq(mount(NULL, "disk", NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
	ro = session_lock__take(dir, SESSION_LOCK_ALL);
	cr_expect_geq(ro, 0, "%d", ro);
}

/* The owner of the directory may put anything there. */
Test(session_lock, what_is_no_lock_file, .timeout = 10)
{
	int fd = creat("theirs", 0600);

	cr_assert_eq(link("theirs", LOCK_NAME), 0);
	cr_assert_eq(session_lock__take(dir, SESSION_LOCK_ALL), -EPERM, "a hard link");
	unlink(LOCK_NAME);
	cr_assert_eq(symlink("theirs", LOCK_NAME), 0);
	cr_assert_eq(session_lock__take(dir, SESSION_LOCK_ALL), -ELOOP);
	unlink(LOCK_NAME);
	cr_assert_eq(mkfifo(LOCK_NAME, 0600), 0);
	cr_assert_eq(session_lock__take(dir, SESSION_LOCK_ALL), -EPERM);
	unlink(LOCK_NAME);
	cr_assert_eq(mkdir(LOCK_NAME, 0700), 0);
	cr_assert_lt(session_lock__take(dir, SESSION_LOCK_ALL), 0);
	rmdir(LOCK_NAME);
	cr_assert_eq(write(fd, "x", 1), 1);
	cr_assert_eq(rename("theirs", LOCK_NAME), 0);
	cr_assert_eq(session_lock__take(dir, SESSION_LOCK_ALL), -EPERM,
		     "a file with something in it");
}
