// SPDX-License-Identifier: GPL-2.0-or-later
#include "platform/mounted.h"

#include <stdlib.h>

#ifdef __linux__
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#include "platform/mountinfo.h"

static bool has_mount(uint64_t id)
{
	FILE *f = mountinfo__open();
	struct mountinfo m = { 0 };
	bool found = !f; /* nobody knows */

	while (!found && mountinfo__next(&m, f))
		found = m.id == id;
	mountinfo__clear(&m);
	if (f)
		fclose(f);
	return found;
}

bool mounted__is(int fd)
{
	struct statx mount;

	/* Since Linux 5.8. */
	return statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &mount) ||
	       !(mount.stx_mask & STATX_MNT_ID) || has_mount(mount.stx_mnt_id);
}
#else
#include <string.h>
#include <sys/mount.h>

/* getfsstat(2) lists the mounts; f_fsid is the same as in statfs(2). */
bool mounted__is(int fd)
{
	struct statfs own, *all;
	int n = getfsstat(NULL, 0, MNT_NOWAIT);
	bool found = false;

	if (fstatfs(fd, &own) || n <= 0)
		return true;
	n += 16; /* mounted meanwhile */
	all = calloc(n, sizeof(*all));
	if (!all)
		return true;
	n = getfsstat(all, n * (int)sizeof(*all), MNT_NOWAIT);
	for (int i = 0; i < n && !found; i++)
		found = !memcmp(&all[i].f_fsid, &own.f_fsid, sizeof(own.f_fsid));
	free(all);
	return found || n <= 0;
}
#endif
