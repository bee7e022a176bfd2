// SPDX-License-Identifier: GPL-2.0-or-later
#include "summary/file_names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate/groups.h"
#include "dataset/two_paths.h"

#define NAMES_MAX 200000
#define NAMES_BYTES_MAX (64 << 20)
#define KEY_MAX 64 /* MAJOR:MINOR/INODE */

struct file_names {
	struct groups *groups; /* the values are char *, owned */
	int device, inode, filename;
};

static void free_name(void *arg, struct group *group, bool at_end)
{
	free(*(char **)group->value);
}

int file_names__new(struct file_names **ret)
{
	const struct groups_config config = { .value_size = sizeof(char *),
					      .max_groups = NAMES_MAX,
					      .max_bytes = NAMES_BYTES_MAX,
					      .drop = free_name };
	struct file_names *n = calloc(1, sizeof(*n));

	if (!n || groups__new(&n->groups, &config)) {
		free(n);
		return -ENOMEM;
	}
	n->device = row__column(STREAM_FS, "device");
	n->inode = row__column(STREAM_FS, "inode");
	n->filename = row__column(STREAM_FS, "filename");
	*ret = n;
	return 0;
}

struct file_names *file_names__free(struct file_names *n)
{
	if (n)
		groups__free(n->groups);
	free(n);
	return NULL;
}

int file_names__fields(void)
{
	return row__column(STREAM_FS, "device") + 1;
}

static int set_name(struct file_names *n, struct group *group, const struct row_field *name)
{
	char **value = group->value;

	if (*value && strlen(*value) == name->len && !memcmp(*value, name->s, name->len))
		return 0;
	free(*value);
	*value = strndup(name->s, name->len);
	groups__charge(n->groups, group, (ptrdiff_t)(name->len + 1 - group->bytes));
	return *value ? 0 : -ENOMEM;
}

int file_names__row(struct file_names *n, const struct export_row *row)
{
	const struct row_field *device = &row->fields[n->device], *inode = &row->fields[n->inode];
	const struct row_field *name = &row->fields[n->filename];
	struct group *group;
	char key[KEY_MAX];
	size_t len = device->len + 1 + inode->len;

	if (!device->len || !inode->len || !name->len || len > sizeof(key) ||
	    two_paths__split(name).two)
		return 0;
	memcpy(key, device->s, device->len);
	key[device->len] = '/';
	memcpy(key + device->len + 1, inode->s, inode->len);
	group = groups__at(n->groups, key, len);
	if (!group)
		return -ENOMEM;
	group->weight++;
	return set_name(n, group, name);
}

const char *file_names__find(struct file_names *n, const char *key, size_t len)
{
	struct group *group = groups__find(n->groups, key, len);

	return group ? *(char **)group->value : NULL;
}
