// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataset/session_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/libc.h"

#define FLAGS (O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

static int open_lock(int dir, int flags)
{
	int fd = openat(dir, LOCK_NAME, flags | FLAGS, 0600);

	return fd < 0 ? -errno : fd;
}

/* The owner of the directory may have put any file there. Nothing is written to it, but a lock
 * could disturb another program that uses the file. */
static bool is_lock_file(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_nlink == 1 && !st.st_size;
}

/* Each part is one byte. Recorders of older versions lock the whole file. */
static struct flock range(enum session_lock_part part, short type)
{
	return (struct flock){
		.l_type = type,
		.l_whence = SEEK_SET,
		.l_start = part == SESSION_LOCK_SEND,
		.l_len = part != SESSION_LOCK_ALL,
	};
}

/* Takes ownership of FD, and returns it locked. The lock belongs to the open file description:
 * closing other descriptors of the file does not release it. */
static int lock_file(int fd, enum session_lock_part part, short type)
{
	struct flock lock = range(part, type);
	int err = 0;

	if (!is_lock_file(fd))
		err = -EPERM;
	else if (fcntl(fd, F_OFD_SETLK, &lock) < 0)
		err = errno == EACCES || errno == EAGAIN ? -EWOULDBLOCK : -errno;
	if (!err)
		return fd;
	close(fd);
	return err;
}

/* A session without this file is of an older version, or was just created. */
static int lock_directory(int dir)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), file, err = 0;

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		err = -errno;
	file = err ? -ENOENT : open_lock(dir, O_RDONLY);
	if (file != -ENOENT)
		err = -EWOULDBLOCK; /* its creator has locked it first */
	if (file >= 0)
		close(file);
	if (err && fd >= 0)
		close(fd);
	return err ?: fd;
}

static bool is_flocked(int dir)
{
	if (flock(dir, LOCK_SH | LOCK_NB) < 0)
		return true;
	flock(dir, LOCK_UN);
	return false;
}

int session_lock__new(int dir)
{
	int fd = open_lock(dir, O_RDWR | O_CREAT | O_EXCL);

	if (fd < 0)
		return fd == -EEXIST ? -EWOULDBLOCK : fd;
	fd = lock_file(fd, SESSION_LOCK_CHANGE, F_WRLCK);
	if (fd < 0 || !is_flocked(dir))
		return fd;
	close(fd);
	return -EWOULDBLOCK;
}

int session_lock__take(int dir, enum session_lock_part part)
{
	int fd = open_lock(dir, O_RDWR);

	if (fd == -ENOENT)
		return lock_directory(dir);
	if (fd != -EROFS)
		return fd < 0 ? fd : lock_file(fd, part, F_WRLCK);
	/* Nothing can be changed on a read-only file system, so a lock that can be shared
	 * suffices. */
	fd = open_lock(dir, O_RDONLY);
	return fd < 0 ? fd : lock_file(fd, part, F_RDLCK);
}

bool session_lock__held(int dir)
{
	struct flock lock = range(SESSION_LOCK_CHANGE, F_WRLCK);
	int fd = open_lock(dir, O_RDONLY);
	bool held;

	if (fd < 0)
		return fd != -ENOENT || is_flocked(dir);
	held = is_lock_file(fd) && (fcntl(fd, F_OFD_GETLK, &lock) < 0 || lock.l_type != F_UNLCK);
	close(fd);
	return held;
}
