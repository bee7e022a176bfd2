// SPDX-License-Identifier: GPL-2.0-or-later
#include "platform/owner.h"

#include <errno.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

/* Both return what was, whether they succeed or not (setfsuid(2)): an id that there is none of
 * only asks. */
static uid_t fs_uid(void)
{
	return setfsuid(-1);
}

static gid_t fs_gid(void)
{
	return setfsgid(-1);
}

/* With the user id the kernel also takes the capabilities that are about files (CAP_FS_MASK). */
int owner__take(int fd, bool *ret_taken)
{
	struct stat st;

	*ret_taken = false;
	if (geteuid() || fstat(fd, &st) < 0 || !st.st_uid)
		return 0;
	setfsgid(st.st_gid);
	setfsuid(st.st_uid);
	*ret_taken = true;
	if (fs_uid() == st.st_uid && fs_gid() == st.st_gid)
		return 0;
	owner__give_back(true);
	*ret_taken = false;
	return -EPERM;
}

void owner__give_back(bool taken)
{
	if (!taken)
		return;
	setfsuid(geteuid());
	setfsgid(getegid());
}
