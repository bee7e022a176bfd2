// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataset/manifest_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/write_all.h"
#include "dataset/session.h"
#include "platform/libc.h"

/* Reserved beyond the last size: enough for some 90 files that may be finished on a full disk. */
#define LAST_RESERVE (32 * 1024)

/* ---- reading ---- */

int manifest_file__open(int dir)
{
	int fd = openat(dir, MANIFEST_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* ---- writing ---- */

json_t *manifest_file__offsets(const struct clock_offset *offsets, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n && list; i++) {
		const struct clock_offset *o = &offsets[i];
		unsigned minutes = abs(o->utc_offset_s) / 60;
		json_t *utc = json_sprintf("%c%02u:%02u", o->utc_offset_s < 0 ? '-' : '+',
					   minutes / 60, minutes % 60);

		/* json_pack() takes ownership of utc even if it fails. */
		if (json_array_append_new(
			    list, json_pack("{s:I, s:I, s:o}", "from_mono_ns",
					    (json_int_t)o->from_mono_ns, "mono_to_real_offset_ns",
					    (json_int_t)o->offset_ns, "utc_offset", utc)) < 0) {
			json_decref(list);
			list = NULL;
		}
	}
	return list;
}

/* Blocks can be allocated beyond the end of a file; writing there later needs no free space. If
 * this fails, the last manifest needs free space. */
static void reserve(int dir, size_t len, uid_t uid, gid_t gid)
{
	int fd = openat(dir, MANIFEST_LAST_NAME, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		fd = session__create(dir, MANIFEST_LAST_NAME, uid, gid);
	if (fd < 0)
		return;
	(void)fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, len + LAST_RESERVE);
	close(fd);
}

/* Opens the reserved file, unless the name is a link to something else. */
static int open_last(int dir)
{
	int fd = openat(dir, MANIFEST_LAST_NAME, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1))
		return fd;
	close(fd);
	return -1;
}

static int open_temp(int dir, bool last, uid_t uid, gid_t gid, const char **ret_name)
{
	int fd = last ? open_last(dir) : -1;

	*ret_name = MANIFEST_LAST_NAME;
	if (fd >= 0)
		return fd;
	*ret_name = MANIFEST_TEMP_NAME;
	unlinkat(dir, MANIFEST_TEMP_NAME, 0); /* a crash's */
	return session__create(dir, MANIFEST_TEMP_NAME, uid, gid);
}

static int replace(int dir, const char *doc, size_t len, bool last, uid_t uid, gid_t gid)
{
	const char *name;
	int fd = open_temp(dir, last, uid, gid, &name), err;

	if (fd < 0)
		return fd;
	err = write_all(fd, doc, len, 0);
	/* Frees the space reserved beyond the end. */
	if (!err && ftruncate(fd, len) < 0)
		err = -errno;
	if (!err && fsync(fd) < 0)
		err = -errno;
	close(fd);
	if (!err && renameat(dir, name, dir, MANIFEST_NAME) < 0)
		err = -errno;
	if (err) {
		if (!strcmp(name, MANIFEST_TEMP_NAME))
			unlinkat(dir, name, 0);
		return err;
	}
	if (!last)
		reserve(dir, len, uid, gid);
	/* EINVAL: a file system whose directories cannot be synced. */
	if (fsync(dir) < 0 && errno != EINVAL)
		return -errno;
	return 0;
}

int manifest_file__put(int dir, json_t *root, bool last, uid_t uid, gid_t gid)
{
	char *doc = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
	size_t len;
	int err;

	if (!doc)
		return -ENOMEM;
	len = strlen(doc);
	doc[len] = '\n'; /* at the place of the NUL, which is not written */
	err = replace(dir, doc, len + 1, last, uid, gid);
	free(doc);
	return err;
}
