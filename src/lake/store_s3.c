// SPDX-License-Identifier: GPL-2.0-or-later
/* A lake in an S3-compatible store. A file is written and read as a local copy in $TMPDIR.
 * Endpoint, region and keys come from the environment and the shared credentials file, as for the
 * uploader. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/temporary_dir.h"
#include "lake/store_kind.h"
#include "platform/macros.h"
#include "uploader/target.h"

#define TRIES 5

struct s3_store {
	struct store store;
	struct target *target;
};

static struct target *target_of(struct store *s)
{
	return ((struct s3_store *)s)->target;
}

static int s3_open(struct store **ret, const struct target_config *target, char why[STORE_WHY_MAX])
{
	struct s3_store *s3 = calloc(1, sizeof(*s3));
	char problem[TARGET_REASON_MAX];
	int err;

	if (!s3) {
		snprintf(why, STORE_WHY_MAX, "out of memory");
		return -ENOMEM;
	}
	err = target__new(&s3->target, target, problem);
	if (err) {
		snprintf(why, STORE_WHY_MAX, "%s", problem);
		free(s3);
		return err;
	}
	*ret = &s3->store;
	return 0;
}

static void s3_free(struct store *s)
{
	target__free(target_of(s));
	free(s);
}

/* Evaluates the result of a request: returns 0, 1 if it should be repeated after a while, or a
 * negative errno with S->why. TRY counts from 0. */
static int judge(struct store *s, const struct target_result *r, const char *what, const char *name,
		 int try)
{
	if (r->verdict == TARGET_DONE)
		return 0;
	if (r->missing)
		return store__fail(s, -ENOENT, what, name);
	if (r->verdict == TARGET_RETRY && try + 1 < TRIES) {
		clock__sleep((NSEC_PER_SEC << try) / 2 + r->retry_after_s * NSEC_PER_SEC);
		return 1;
	}
	snprintf(s->why, sizeof(s->why), "%s %.*s: %s", what, STORE_NAME_MAX, name, r->reason);
	return -EIO;
}

/* ---- list ---- */

struct object_list {
	struct store_files *files;
	int err;
};

static bool on_object(void *arg, const struct target_found *found)
{
	const struct store_file file = { .name = found->key,
					 .size = found->size,
					 .modified = found->modified };
	struct object_list *l = arg;

	l->err = store_files__add(l->files, &file);
	return !l->err;
}

static int s3_list(struct store *s, const char *prefix, struct store_files *files)
{
	struct object_list l = { .files = files };
	struct target_result r;
	int err, try = 0;

	do {
		/* A repeated list starts from the beginning. */
		while (files->n)
			free((char *)files->at[--files->n].name);
		target__list(target_of(s), prefix, on_object, &l, &r);
		if (l.err)
			return store__fail(s, l.err, "cannot list", prefix);
		err = judge(s, &r, "cannot list", prefix, try++);
	} while (err > 0);
	return err;
}

/* ---- files ---- */

static int temporary(struct store *s, const char *name, char **ret, int *ret_fd)
{
	char *path;

	if (asprintf(&path, "%s/iotrc-lake-XXXXXX", temporary_dir()) < 0)
		return store__fail(s, -ENOMEM, "cannot make a copy of", name);
	*ret_fd = mkostemp(path, O_CLOEXEC); /* mode 0600 */
	if (*ret_fd < 0) {
		int err = -errno;

		free(path);
		return store__fail(s, err, "cannot make a copy of", name);
	}
	*ret = path;
	return 0;
}

static int s3_stage(struct store *s, const char *name, char **ret)
{
	int fd = -1, err = temporary(s, name, ret, &fd);

	if (!err)
		close(fd);
	return err;
}

static int s3_publish(struct store *s, const char *name, const char *path)
{
	struct target_object object = { .key = name, .fd = open(path, O_RDONLY | O_CLOEXEC) };
	struct target_result r = { 0 };
	struct stat st;
	int err, try = 0;

	if (object.fd < 0 || fstat(object.fd, &st)) {
		err = -errno;
		if (object.fd >= 0)
			close(object.fd);
		return store__fail(s, err, "cannot read", path);
	}
	object.size = st.st_size;
	do {
		target__put(target_of(s), &object, NULL, &r);
		err = judge(s, &r, "cannot write", name, try++);
	} while (err > 0);
	close(object.fd);
	return err;
}

static int s3_fetch(struct store *s, const char *name, char **ret)
{
	struct target_result r;
	int fd = -1, try = 0, err = temporary(s, name, ret, &fd);

	if (err)
		return err;
	do {
		if (ftruncate(fd, 0)) {
			err = store__fail(s, -errno, "cannot write", *ret);
			break;
		}
		target__get(target_of(s), name, fd, &r);
		err = judge(s, &r, "cannot read", name, try++);
	} while (err > 0);
	close(fd);
	if (err) {
		unlink(*ret);
		free(*ret);
	}
	return err;
}

static int s3_remove(struct store *s, const char *name)
{
	struct target_result r;
	int err, try = 0;

	do {
		target__remove(target_of(s), name, &r);
		err = judge(s, &r, "cannot remove", name, try++);
	} while (err > 0);
	return err;
}

const struct store_kind store_s3 = {
	.open = s3_open,
	.free = s3_free,
	.list = s3_list,
	.stage = s3_stage,
	.publish = s3_publish,
	.fetch = s3_fetch,
	.fetches = true,
	.remove = s3_remove,
};
