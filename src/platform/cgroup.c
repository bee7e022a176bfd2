// SPDX-License-Identifier: GPL-2.0-or-later
#include "platform/cgroup.h"

#include <errno.h>

#ifdef __linux__
#include <limits.h>
#include <linux/magic.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>

static int directory_id(const char *path, uint64_t *ret_id)
{
	struct statfs fs;
	struct stat st;

	if (statfs(path, &fs) || stat(path, &st))
		return -errno;
	if (fs.f_type != CGROUP2_SUPER_MAGIC || !S_ISDIR(st.st_mode))
		return -EINVAL;
	/* On 64-bit machines kernfs uses its node id, which is the cgroup id, as the inode number
	 * (fs/kernfs, since 5.5). */
	*ret_id = st.st_ino;
	return 0;
}

int cgroup__mount(char ret_dir[PATH_MAX])
{
	char buf[2 * PATH_MAX];
	struct mntent m;
	FILE *f = setmntent("/proc/self/mounts", "re");
	int err = -ENODEV;

	if (!f)
		return -errno;
	while (err && getmntent_r(f, &m, buf, sizeof(buf)))
		if (!strcmp(m.mnt_type, "cgroup2") && strlen(m.mnt_dir) < PATH_MAX) {
			/* NOLINTNEXTLINE(*.strcpy): its length was checked */
			strcpy(ret_dir, m.mnt_dir);
			err = 0;
		}
	endmntent(f);
	return err;
}

int cgroup__id(const char *name, uint64_t *ret_id)
{
	char mount[PATH_MAX], path[2 * PATH_MAX];
	int err;

	if (*name && !name[strspn(name, "0123456789")]) {
		unsigned long long id;

		errno = 0;
		id = strtoull(name, NULL, 10);
		if (errno || !id)
			return -EINVAL;
		*ret_id = id;
		return 0;
	}
	if (*name == '/' && !directory_id(name, ret_id))
		return 0;
	if (strlen(name) >= PATH_MAX)
		return -ENOENT;
	err = cgroup__mount(mount);
	if (err)
		return err;
	snprintf(path, sizeof(path), "%s/%s", mount, name);
	return directory_id(path, ret_id);
}
#else
int cgroup__mount(char ret_dir[PATH_MAX])
{
	return -ENODEV;
}

int cgroup__id(const char *name, uint64_t *ret_id)
{
	return -ENODEV;
}
#endif
