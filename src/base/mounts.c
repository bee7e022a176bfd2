// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/csv.h"
#include "platform/macros.h"
#include "platform/mountinfo.h"

#define MOUNTS_MAX 4096
#define TYPE_BYTES 31

struct mount_entry {
	char *path;
	size_t len;
	uint32_t dev;
	char type[CSV_TEXT_MAX(TYPE_BYTES) + 1];
	bool pseudo;
};

struct mounts {
	FILE *file;               /* kept open: poll() on it tells of changes */
	struct mount_entry *list; /* longest path first; of two on one path the later first */
	size_t n;
};

/* bpf/scope.h has the magic numbers of most; names cover what shares one (devtmpfs is a tmpfs). */
static const char *const pseudo_types[] = {
	"proc",         "sysfs",    "cgroup",  "cgroup2",     "cpuset",    "devpts",  "devtmpfs",
	"debugfs",      "tracefs",  "bpf",     "securityfs",  "selinuxfs", "smackfs", "efivarfs",
	"pstore",       "configfs", "fusectl", "binfmt_misc", "mqueue",    "nsfs",    "pidfs",
	"anon_inodefs", "sockfs",   "pipefs",  "bdev",        "hugetlbfs", "resctrl", "binder",
	"rpc_pipefs",   "nfsd",     "autofs",  "xenfs",
};

bool mounts__pseudo_type(const char *type)
{
	for (size_t i = 0; i < ARRAY_SIZE(pseudo_types); i++)
		if (*pseudo_types[i] == *type && !strcmp(pseudo_types[i], type))
			return true;
	return false;
}

bool mounts__pseudo_at(const char *type, const char *path)
{
	return mounts__pseudo_type(type) || !strcmp(path, "/dev");
}

static int longest_first(const void *a, const void *b)
{
	const struct mount_entry *x = a, *y = b;

	return (x->len < y->len) - (x->len > y->len);
}

static void clear(struct mounts *m)
{
	while (m->n)
		free(m->list[--m->n].path);
}

static void add(struct mounts *m, const struct mountinfo *info)
{
	struct mount_entry *at = &m->list[m->n];

	at->path = strdup(info->path);
	if (!at->path)
		return;
	at->len = strlen(at->path);
	at->dev = info->major << 20 | info->minor;
	*csv__text(at->type, info->type, strnlen(info->type, TYPE_BYTES)) = 0;
	at->pseudo = mounts__pseudo_at(info->type, info->path);
	m->n++;
}

static void read_mounts(struct mounts *m)
{
	struct mountinfo info = { 0 };

	clear(m);
	rewind(m->file);
	while (m->n < MOUNTS_MAX && mountinfo__next(&info, m->file))
		add(m, &info);
	mountinfo__clear(&info);
	for (size_t i = 0; i < m->n / 2; i++) {
		struct mount_entry t = m->list[i];

		m->list[i] = m->list[m->n - 1 - i];
		m->list[m->n - 1 - i] = t;
	}
	qsort(m->list, m->n, sizeof(*m->list), longest_first); /* glibc's is stable: a merge sort */
}

int mounts__new(struct mounts **ret)
{
	struct mounts *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	m->list = calloc(MOUNTS_MAX, sizeof(*m->list));
	m->file = mountinfo__open();
	if (!m->list || (!m->file && errno != ENOENT)) {
		int err = m->list ? -errno : -ENOMEM;

		mounts__free(m);
		return err;
	}
	if (m->file)
		read_mounts(m);
	*ret = m;
	return 0;
}

struct mounts *mounts__free(struct mounts *m)
{
	if (!m)
		return NULL;
	clear(m);
	free(m->list);
	if (m->file)
		fclose(m->file);
	free(m);
	return NULL;
}

void mounts__refresh(struct mounts *m)
{
	struct pollfd p = { .events = POLLPRI };

	if (!m->file)
		return;
	p.fd = fileno(m->file);
	if (poll(&p, 1, 0) > 0 && p.revents & (POLLPRI | POLLERR))
		read_mounts(m);
}

bool mounts__pseudo_path(const struct mounts *m, const char *path, size_t len)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct mount_entry *at = &m->list[i];

		/* The cheap tests first: they alone leave most mounts out. */
		if (at->len <= len && (at->len == len || path[at->len] == '/' || at->len == 1) &&
		    !memcmp(at->path, path, at->len))
			return at->pseudo;
	}
	return false;
}

const char *mounts__type(const struct mounts *m, uint32_t dev)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->list[i].dev == dev)
			return m->list[i].type;
	return NULL;
}
