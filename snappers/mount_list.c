// SPDX-License-Identifier: GPL-2.0-or-later
#include "snappers/mount_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/mounts.h"
#include "platform/libc.h"
#include "platform/macros.h"
#include "platform/mountinfo.h"

static void clear_info(struct mount_info *i)
{
	free(i->root);
	free(i->path);
	free(i->type);
	free(i->source);
	free(i->options);
}

#ifdef __linux__
/* FUSE filesystems count as network filesystems, except for these local ones. */
static const char *const network_types[] = {
	"nfs",    "nfs4",     "cifs",  "smb3",      "smbfs",    "ceph",  "9p",
	"afs",    "coda",     "ncpfs", "lustre",    "gfs2",     "ocfs2", "gpfs",
	"beegfs", "orangefs", "pvfs2", "glusterfs", "virtiofs", "fuse",
};
static const char *const local_fuse[] = {
	"fuse.ntfs",  "fuse.ntfs-3g",   "fuse.exfat",          "fuse.lxcfs",  "fuse.mergerfs",
	"fuse.encfs", "fuse.gocryptfs", "fuse.fuse-overlayfs", "fuse.bindfs", "fuse.zfs",
};
/* Filesystems that store no files of users. */
static const char *const unreal_fuse[] = {
	"fuse.lxcfs",
	"fuse.portal",
	"fuse.gvfsd-fuse",
	"fuse.snapfuse",
};

#define IS_ONE_OF(type, list) is_one_of(type, list, ARRAY_SIZE(list))

static bool is_one_of(const char *type, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(type, list[i]))
			return true;
	return false;
}

static bool is_network(const char *type)
{
	if (!strncmp(type, "fuse.", 5))
		return !IS_ONE_OF(type, local_fuse);
	return IS_ONE_OF(type, network_types);
}

static bool has_option(const char *list, const char *option, size_t len)
{
	while (strncmp(list, option, len) || (list[len] && list[len] != ',')) {
		list = strchr(list, ',');
		if (!list)
			return false;
		list++;
	}
	return true;
}

static char *join_options(const char *a, const char *b)
{
	char *all = malloc(strlen(a) + strlen(b) + 2), *end;

	if (!all)
		return NULL;
	end = stpcpy(all, a);
	while (*b) {
		size_t len = strcspn(b, ",");

		if (!has_option(a, b, len)) {
			*end++ = ',';
			end = mempcpy(end, b, len);
			*end = 0;
		}
		b += len + !!b[len];
	}
	return all;
}

static bool copy(const struct mountinfo *line, struct mount_info *ret)
{
	struct mount_info i = {
		.id = line->id,
		.parent = line->parent,
		.major = line->major,
		.minor = line->minor,
		.root = strdup(line->root),
		.path = strdup(line->path),
		.type = strdup(line->type),
		.source = strdup(line->source),
		.options = join_options(line->options, line->own_options),
	};

	if (!i.root || !i.path || !i.type || !i.source || !i.options) {
		clear_info(&i);
		return false;
	}
	mountinfo__unescape(i.options);
	i.real = !mounts__pseudo_at(i.type, i.path) && !IS_ONE_OF(i.type, unreal_fuse);
	i.network = is_network(i.type);
	*ret = i;
	return true;
}

static int add_mount(struct mount_list *m, size_t *capacity, const struct mount_info *info)
{
	struct mount_info *list = array__grow(m->list, m->n, capacity, sizeof(*list));

	if (!list)
		return -ENOMEM;
	m->list = list;
	m->list[m->n++] = *info;
	return 0;
}

int mount_list__read(struct mount_list *ret, FILE *file, mount_list__beyond_fn *beyond, void *arg)
{
	struct mount_list m = { 0 };
	struct mountinfo line = { 0 };
	struct mount_info info;
	size_t capacity = 0;
	int err = 0;

	while (!err && mountinfo__next(&line, file)) {
		err = copy(&line, &info) ? 0 : -ENOMEM;
		if (!err && m.n < MOUNT_LIST_MAX) {
			err = add_mount(&m, &capacity, &info);
			if (err)
				clear_info(&info);
		} else if (!err) {
			if (beyond)
				beyond(arg, &info);
			clear_info(&info);
		}
	}
	mountinfo__clear(&line);
	if (err)
		mount_list__clear(&m);
	else
		*ret = m;
	return err;
}

int mount_list__here(struct mount_list *ret, mount_list__beyond_fn *beyond, void *arg)
{
	FILE *f = mountinfo__open();
	int err = f ? mount_list__read(ret, f, beyond, arg) : -errno;

	if (f)
		fclose(f);
	return err;
}
#else
#include <sys/mount.h>

/* The volume of the user's files; firmlinks of / lead to it (/Users, /Applications, ...). */
#define DATA_VOLUME "/System/Volumes/Data"

/* Filesystems that store no files. */
static const char *const unreal[] = { "devfs", "autofs", "synthfs", "fdesc", "nullfs", "lifs" };

/* sys/mount.h; the words of mount(8). */
static const struct {
	uint32_t flag;
	const char *word;
} flag_words[] = {
	{ MNT_LOCAL, "local" },           { MNT_SYNCHRONOUS, "synchronous" },
	{ MNT_NOEXEC, "noexec" },         { MNT_NOSUID, "nosuid" },
	{ MNT_NODEV, "nodev" },           { MNT_UNION, "union" },
	{ MNT_ASYNC, "asynchronous" },    { MNT_CPROTECT, "protect" },
	{ MNT_QUARANTINE, "quarantine" }, { MNT_QUOTA, "with quotas" },
	{ MNT_ROOTFS, "root" },           { MNT_JOURNALED, "journaled" },
	{ MNT_NOATIME, "noatime" },       { MNT_SNAPSHOT, "snapshot" },
	{ MNT_DONTBROWSE, "nobrowse" },
};

static char *options_of(const struct statfs *fs)
{
	char text[512], *end = stpcpy(text, fs->f_flags & MNT_RDONLY ? "ro" : "rw");

	for (size_t i = 0; i < ARRAY_SIZE(flag_words); i++)
		if (fs->f_flags & flag_words[i].flag)
			end = stpcpy(stpcpy(end, ","), flag_words[i].word);
	return strdup(text);
}

static bool describe(const struct statfs *fs, struct mount_info *ret)
{
	dev_t dev = fs->f_fsid.val[0];
	bool known = true;

	for (size_t i = 0; i < ARRAY_SIZE(unreal); i++)
		known &= strcmp(fs->f_fstypename, unreal[i]) != 0;
	*ret = (struct mount_info){
		.major = (uint32_t)major(dev),
		.minor = (uint32_t)minor(dev),
		.root = strdup("/"),
		.path = strdup(fs->f_mntonname),
		.type = strdup(fs->f_fstypename),
		.source = strdup(fs->f_mntfromname),
		.options = options_of(fs),
		.real = known,
		.network = !(fs->f_flags & MNT_LOCAL),
		.hidden = !strcmp(fs->f_mntonname, DATA_VOLUME),
	};
	if (ret->root && ret->path && ret->type && ret->source && ret->options)
		return true;
	clear_info(ret);
	return false;
}

int mount_list__here(struct mount_list *ret, mount_list__beyond_fn *beyond, void *arg)
{
	int n = getfsstat(NULL, 0, MNT_NOWAIT) + 16; /* mounted meanwhile */
	struct statfs *all = n < MOUNT_LIST_MAX ? calloc((size_t)n, sizeof(*all)) : NULL;
	int err = 0;

	*ret = (struct mount_list){ 0 };
	if (!all)
		return -ENOMEM;
	n = getfsstat(all, n * (int)sizeof(*all), MNT_NOWAIT);
	ret->list = n > 0 ? calloc((size_t)n, sizeof(*ret->list)) : NULL;
	if (!ret->list)
		err = n < 0 ? -errno : -ENOMEM;
	for (int i = 0; !err && i < n; i++)
		if (describe(&all[i], &ret->list[ret->n]))
			ret->n++;
		else
			err = -ENOMEM;
	free(all);
	if (err)
		mount_list__clear(ret);
	return err;
}
#endif

void mount_list__clear(struct mount_list *m)
{
	while (m->n)
		clear_info(&m->list[--m->n]);
	free(m->list);
	m->list = NULL;
}

static bool covers(const struct mount_info *a, const struct mount_info *b)
{
	size_t len = strlen(a->root);

	if (a->major != b->major || a->minor != b->minor || strncmp(b->root, a->root, len))
		return false;
	return len == 1 || !b->root[len] || b->root[len] == '/';
}

/* The files of an overlay are in its layers, which are walked as well. As the root of a
 * container, the overlay is all that is visible. */
bool mount_list__is_wanted(const struct mount_info *m, bool network)
{
	return m->real && !m->hidden && (network || !m->network) &&
	       (strcmp(m->type, "overlay") || !strcmp(m->path, "/"));
}

void mount_list__choose(struct mount_list *m, bool network)
{
	for (size_t i = 0; i < m->n; i++)
		for (size_t k = 0; k < m->n; k++)
			if (m->list[k].parent == m->list[i].id && k != i &&
			    !strcmp(m->list[k].path, m->list[i].path))
				m->list[i].hidden = true;
	for (size_t i = 0; i < m->n; i++) {
		struct mount_info *at = &m->list[i];

		at->chosen = mount_list__is_wanted(at, network);
		for (size_t k = 0; at->chosen && k < m->n; k++) {
			const struct mount_info *other = &m->list[k];

			/* Of two mounts of the same tree, the earlier one is walked. */
			if (k != i && mount_list__is_wanted(other, network) && covers(other, at) &&
			    (k < i || !covers(at, other)))
				at->chosen = false;
		}
	}
}

const struct mount_info *mount_list__of(const struct mount_list *m, const char *path)
{
	const struct mount_info *best = NULL;
	size_t best_len = 0;

	for (size_t i = 0; i < m->n; i++) {
		const struct mount_info *at = &m->list[i];
		size_t len = strlen(at->path);

		if (len >= best_len && !strncmp(path, at->path, len) &&
		    (len == 1 || !path[len] || path[len] == '/')) {
			best = at;
			best_len = len;
		}
	}
	return best;
}
