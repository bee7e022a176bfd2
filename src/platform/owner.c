// SPDX-License-Identifier: GPL-2.0-or-later
#include "platform/owner.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/fsuid.h>

/* Both return the previous id, whether they succeed or not (setfsuid(2)); an invalid id only
 * queries it. */
static uid_t fs_uid(void)
{
	return setfsuid(-1);
}

static gid_t fs_gid(void)
{
	return setfsgid(-1);
}

static void give_back(void)
{
	setfsuid(geteuid());
	setfsgid(getegid());
}

/* With the user id, the kernel also drops the capabilities for files (CAP_FS_MASK). */
static int take_ids(uid_t uid, gid_t gid)
{
	setfsgid(gid);
	setfsuid(uid);
	if (fs_uid() == uid && fs_gid() == gid)
		return 0;
	give_back();
	return -EPERM;
}
#else
#include <sys/kauth.h>

/* "revert to per process credential" (xnu, bsd/kern/kern_prot.c, settid()) */
static void give_back(void)
{
	pthread_setugid_np(KAUTH_UID_NONE, KAUTH_GID_NONE);
}

static int take_ids(uid_t uid, gid_t gid)
{
	return pthread_setugid_np(uid, gid) ? -EPERM : 0;
}
#endif

int owner__take(int fd, bool *ret_taken)
{
	struct stat st;
	int err;

	*ret_taken = false;
	if (geteuid() || fstat(fd, &st) < 0 || !st.st_uid)
		return 0;
	err = take_ids(st.st_uid, st.st_gid);
	*ret_taken = !err;
	return err;
}

void owner__give_back(bool taken)
{
	if (taken)
		give_back();
}
