// SPDX-License-Identifier: GPL-2.0-or-later
/* A lake in a directory. A file is written beside its final name, as .NAME.part-XXXXXX, which no
 * reader's *.parquet matches, and renamed when it is synced. */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lake/store_kind.h"
#include "platform/libc.h"

#define PART ".part-"

struct dir_store {
	struct store store;
	char *path;
};

static char *path_of(struct store *s, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", ((struct dir_store *)s)->path, name) < 0 ? NULL : path;
}

static int dir_open(struct store **ret, const struct target_config *target, char why[STORE_WHY_MAX])
{
	struct dir_store *d = calloc(1, sizeof(*d));
	const char *url = target->url;
	size_t len = strlen(url);

	while (len > 1 && url[len - 1] == '/')
		len--;
	if (!d || !(d->path = strndup(url, len))) {
		free(d);
		snprintf(why, STORE_WHY_MAX, "out of memory");
		return -ENOMEM;
	}
	*ret = &d->store;
	return 0;
}

static void dir_free(struct store *s)
{
	free(((struct dir_store *)s)->path);
	free(s);
}

static const char *dir_directory(const struct store *s)
{
	return ((const struct dir_store *)s)->path;
}

static bool is_temporary(const char *name)
{
	return *name == '.' && strstr(name, PART);
}

/* Other files, in particular hidden ones, do not belong to the lake. */
static int add_entry(struct store_files *files, FTSENT *e, size_t prefix, FTS *walk)
{
	const struct store_file file = { .name = e->fts_path + prefix,
					 .size = e->fts_statp->st_size,
					 .modified = e->fts_statp->st_mtim.tv_sec,
					 .temporary = is_temporary(e->fts_name),
					 .link = e->fts_info == FTS_SL };

	if (e->fts_info == FTS_D && e->fts_level > 0 && *e->fts_name == '.')
		fts_set(walk, e, FTS_SKIP);
	if ((e->fts_info != FTS_F && !file.link) || (*e->fts_name == '.' && !file.temporary))
		return 0;
	return store_files__add(files, &file);
}

static int dir_list(struct store *s, const char *prefix, struct store_files *files)
{
	char *top = path_of(s, prefix), *paths[] = { top, NULL };
	size_t root = strlen(((struct dir_store *)s)->path) + 1;
	FTS *walk = NULL;
	FTSENT *e;
	int err = top ? 0 : -ENOMEM;

	if (top && *prefix)
		top[strlen(top) - 1] = 0; /* the slash: fts would keep it */
	if (!err && access(top, F_OK) && errno == ENOENT) {
		free(top);
		return 0;
	}
	if (!err)
		walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	if (!walk)
		err = -errno;
	while (!err && (errno = 0, e = fts_read(walk))) {
		/* Another process may have removed it meanwhile. */
		if ((e->fts_info == FTS_DNR || e->fts_info == FTS_ERR) && e->fts_errno != ENOENT)
			err = -e->fts_errno;
		else
			err = add_entry(files, e, root, walk);
	}
	if (!err && errno && errno != ENOENT)
		err = -errno;
	if (walk)
		fts_close(walk);
	if (err)
		store__fail(s, err, "cannot list", top ?: prefix);
	free(top);
	return err;
}

/* Makes the directories above PATH. */
static int make_parents(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		int failed;

		*slash = 0;
		failed = mkdir(path, 0750) && errno != EEXIST;
		*slash = '/';
		if (failed)
			return -errno;
	}
	return 0;
}

static int dir_stage(struct store *s, const char *name, char **ret)
{
	const char *slash = strrchr(name, '/'), *base = slash ? slash + 1 : name;
	char *path;
	int fd, err;

	if (asprintf(&path, "%s/%.*s.%s" PART "XXXXXX", ((struct dir_store *)s)->path,
		     (int)(base - name), name, base) < 0)
		return store__fail(s, -ENOMEM, "cannot write", name);
	err = make_parents(path);
	fd = err ? -1 : mkostemp(path, O_CLOEXEC);
	if (fd < 0) {
		err = err ?: -errno;
		free(path);
		return store__fail(s, err, "cannot write", name);
	}
	/* Traces are not for everybody: 0640, and less with a stricter umask. */
	fchmod(fd, 0640);
	close(fd);
	*ret = path;
	return 0;
}

static int sync_path(const char *path, int flags)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | flags), err;

	if (fd < 0)
		return -errno;
	err = fsync(fd) && errno != EINVAL ? -errno : 0;
	close(fd);
	return err;
}

static int dir_publish(struct store *s, const char *name, const char *path)
{
	char *final = path_of(s, name);
	int err = final ? sync_path(path, 0) : -ENOMEM;

	if (!err && rename(path, final))
		err = -errno;
	if (!err) {
		*strrchr(final, '/') = 0;
		err = sync_path(final, O_DIRECTORY);
	}
	free(final);
	return err ? store__fail(s, err, "cannot write", name) : 0;
}

static int dir_fetch(struct store *s, const char *name, char **ret)
{
	char *path = path_of(s, name);

	if (!path || access(path, R_OK)) {
		int err = path ? -errno : -ENOMEM;

		free(path);
		return store__fail(s, err, "cannot read", name);
	}
	*ret = path;
	return 0;
}

static int dir_remove(struct store *s, const char *name)
{
	char *path = path_of(s, name), *slash;
	size_t root = strlen(((struct dir_store *)s)->path);
	int err = !path ? -ENOMEM : unlink(path) && errno != ENOENT ? -errno : 0;

	/* Also removes directories that are empty now. */
	while (!err && (slash = strrchr(path, '/')) && (size_t)(slash - path) > root) {
		*slash = 0;
		if (rmdir(path))
			break;
	}
	free(path);
	return err ? store__fail(s, err, "cannot remove", name) : 0;
}

const struct store_kind store_dir = {
	.open = dir_open,
	.free = dir_free,
	.directory = dir_directory,
	.list = dir_list,
	.stage = dir_stage,
	.publish = dir_publish,
	.fetch = dir_fetch,
	.remove = dir_remove,
};
