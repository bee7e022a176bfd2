// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/dir_names.h"
#include "platform/libc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add_name(struct dir_names *d, size_t *capacity, const char *name)
{
	char **names = array__grow(d->names, d->n, capacity, sizeof(*names));

	if (!names)
		return -ENOMEM;
	d->names = names;
	d->names[d->n] = strdup(name);
	if (!d->names[d->n])
		return -ENOMEM;
	d->n++;
	return 0;
}

static bool is_itself(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

static int read_names(struct dir_names *d, DIR *dir, bool (*wanted)(const char *name))
{
	size_t capacity = 0, bytes = 0;
	struct dirent *entry;
	int err = 0;

	while (!err && (errno = 0, entry = readdir(dir))) {
		if (is_itself(entry->d_name) || (wanted && !wanted(entry->d_name)))
			continue;
		bytes += strlen(entry->d_name) + 1;
		err = d->n == DIR_NAMES_MAX || bytes > DIR_NAMES_BYTES ?
			      -E2BIG :
			      add_name(d, &capacity, entry->d_name);
	}
	return err ? err : -errno;
}

int dir_names__choose(struct dir_names *ret, int fd, bool (*wanted)(const char *name))
{
	/* A duplicate, so that the caller's descriptor keeps its position. */
	int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), err;
	DIR *dir = own < 0 ? NULL : fdopendir(own);

	*ret = (struct dir_names){ 0 };
	if (!dir) {
		err = -errno;
		if (own >= 0)
			close(own);
		return err;
	}
	err = read_names(ret, dir, wanted);
	closedir(dir);
	if (err)
		dir_names__clear(ret);
	else if (ret->n)
		qsort(ret->names, ret->n, sizeof(*ret->names), by_name);
	return err;
}

int dir_names__read(struct dir_names *ret, int fd)
{
	return dir_names__choose(ret, fd, NULL);
}

void dir_names__clear(struct dir_names *d)
{
	while (d->n)
		free(d->names[--d->n]);
	free(d->names);
	d->names = NULL;
}
