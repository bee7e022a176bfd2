// SPDX-License-Identifier: GPL-2.0-or-later
#include "snappers/filesystem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dir_names.h"
#include "platform/file_state.h"
#include "platform/libc.h"
#include "snappers/entry.h"
#include "snappers/mount_list.h"
#include "snappers/run.h"
#include "snappers/snap_sorter.h"
#include "snappers/spool.h"

#define MAGIC "iotrc baseline 1 "
/* Number of datasets whose baselines are kept; the least recently used one is deleted first. */
#define BASELINES_MAX 8
#define BASELINE_PREFIX "baseline-"

struct file_id {
	uint32_t major, minor;
	uint64_t inode;
};

struct tree_walk {
	const struct filesystem_config *config;
	struct filesystem_result *result;
	struct snap_rows *rows;
	struct snap_sorter *sorter; /* NULL: sorting failed, so there will be no new baseline */
	struct spool *queue;        /* directories still to read, as paths below the mount */
	struct file_id apart[2];    /* our own directories, which are left out */
	int mount;                  /* root of the mount being walked */
	/* The directory read last: opening the next one starts from it. */
	int near;
	char *near_path; /* below the mount */
	size_t near_len;
	struct snap_entry *entry; /* with room for any path */
	struct listing listing;
	char baseline[sizeof(BASELINE_PREFIX) + 16];
};

static void fail_walk(struct tree_walk *w, int err)
{
	if (!w->result->error)
		w->result->error = err;
}

static bool must_stop_walk(struct tree_walk *w)
{
	if (!w->config->pause(w->config->arg))
		return false;
	fail_walk(w, -EINTR);
	return true;
}

static bool walk_stopped(void *arg)
{
	return must_stop_walk(arg);
}

/* ---- entries ---- */

/* Hands the entry to the sorter. If that fails, a full snapshot still has all rows. */
static void note(struct tree_walk *w)
{
	int err;

	if (!w->sorter)
		return;
	err = snap_sorter__add(w->sorter, w->entry, ENTRY_SIZE(w->entry->len));
	if (!err)
		return;
	fail_walk(w, err);
	w->sorter = snap_sorter__free(w->sorter);
}

static void write_entry(struct tree_walk *w, const struct snap_entry *e, bool gone)
{
	uint64_t mono_ns = gone ? clock__event_ns() : e->mono_ns;
	char *end = entry__row(e, gone, mono_ns, w->config->clock, w->config->anon,
			       snap_rows__line(w->rows));
	int err = snap_rows__add(w->rows, end, mono_ns);

	if (err)
		fail_walk(w, err);
}

/* Records the file whose path is in w->entry. */
static void see(struct tree_walk *w, const struct file_state *facts)
{
	entry__set(w->entry, clock__event_ns(), facts);
	w->result->entries++;
	atomic_store_explicit(w->config->seen, w->result->entries, memory_order_relaxed);
	note(w);
	if (w->result->full)
		write_entry(w, w->entry, false);
}

/* Notes that the path in w->entry, and what is below it, cannot be read. It may still exist, so no
 * tombstones follow. */
static void see_nothing(struct tree_walk *w)
{
	uint32_t len = w->entry->len;

	w->result->unreadable++;
	memset(w->entry, 0, sizeof(*w->entry));
	w->entry->len = len;
	w->entry->flags = ENTRY_BLIND;
	note(w);
}

static bool has_gone(int err)
{
	return err == ENOENT || err == ENOTDIR || err == ELOOP || err == ESTALE;
}

/* ---- directories ---- */

/* Opens directory PATH (LEN bytes and a NUL, "" for the mount's root) below the mount, without
 * following symlinks. A path may be longer than PATH_MAX: it is opened in several steps. */
static int open_dir(struct tree_walk *w, char *path, size_t len)
{
	int fd = listing__open(w->mount, len < PATH_MAX ? (len ? path : ".") : "."), next;

	while (fd >= 0 && len >= PATH_MAX) {
		/* At most PATH_MAX - 1 bytes per system call; a single name may be that long. */
		char *slash = memrchr(path, '/', PATH_MAX);

		if (!slash) {
			close(fd);
			return -ENAMETOOLONG;
		}
		*slash = 0;
		next = listing__open(fd, path);
		*slash = '/';
		close(fd);
		fd = next;
		len -= slash + 1 - path;
		path = slash + 1;
		if (fd >= 0 && len < PATH_MAX) {
			next = listing__open(fd, path);
			close(fd);
			return next;
		}
	}
	return fd;
}

static void forget_near(struct tree_walk *w)
{
	if (w->near >= 0)
		close(w->near);
	w->near = -1;
}

static int open_near(struct tree_walk *w, char *path, size_t len)
{
	size_t from = w->near_len + 1;

	if (w->near >= 0 && w->near_len && len > from && len - from < PATH_MAX &&
	    path[w->near_len] == '/' && !memcmp(path, w->near_path, w->near_len) &&
	    !memchr(path + from, '/', len - from))
		return listing__open(w->near, path + from);
	return open_dir(w, path, len);
}

static bool is_apart(const struct tree_walk *w, const struct file_state *facts)
{
	for (size_t i = 0; i < sizeof(w->apart) / sizeof(*w->apart); i++)
		if (facts->inode == w->apart[i].inode && facts->major == w->apart[i].major &&
		    facts->minor == w->apart[i].minor)
			return true;
	return false;
}

/* Sees NAME, of which ERR or FACTS are known, in the directory whose path is the first DIR_LEN
 * bytes of w->entry->path, of which SKIP bytes are the mount point. */
static int see_name(struct tree_walk *w, const char *name, int err, const struct file_state *facts,
		    size_t dir_len, size_t skip)
{
	struct snap_entry *e = w->entry;
	size_t len = strlen(name);
	bool slash = dir_len != 1; /* "/" has one */

	if (dir_len + 1 + len > ENTRY_PATH_MAX) {
		w->result->unreadable++;
		return 0;
	}
	if (slash)
		e->path[dir_len] = '/';
	memcpy(e->path + dir_len + slash, name, len);
	e->len = dir_len + slash + len;
	if (err) {
		if (!has_gone(-err))
			see_nothing(w);
		return 0;
	}
	/* A mount point: that mount is walked separately. */
	if (facts->mount_root)
		return 0;
	see(w, facts);
	if (!S_ISDIR(facts->mode) || is_apart(w, facts))
		return 0;
	return spool__put(w->queue, e->path + skip, e->len - skip);
}

/* Reads a directory. 0, or an error that ends the walk. A directory that cannot be read to its end
 * becomes blind. */
static int read_dir(struct tree_walk *w, int fd, size_t dir_len, size_t skip)
{
	struct file_state facts;
	const char *name;
	int err, n;

	w->listing.fd = fd;
	w->listing.n = w->listing.at = 0;
	while ((n = listing__next(&w->listing, &name, &facts, &err)) > 0) {
		if (must_stop_walk(w))
			return -EINTR;
		err = see_name(w, name, err, &facts, dir_len, skip);
		if (err)
			return err;
	}
	if (n < 0 && !has_gone(-n)) {
		w->entry->len = dir_len;
		see_nothing(w);
	}
	return 0;
}

static int walk_dir(struct tree_walk *w, const struct mount_info *mount, const char *below,
		    size_t len)
{
	size_t root_len = strlen(mount->path), skip = root_len == 1 ? 1 : root_len + 1;
	char *path = w->entry->path;
	size_t dir_len = len ? skip + len : root_len;
	int fd, err;

	memcpy(path, mount->path, root_len);
	if (len) {
		path[skip - 1] = '/';
		memcpy(path + skip, below, len);
	}
	path[dir_len] = 0;
	fd = open_near(w, path + (len ? skip : dir_len), len);
	forget_near(w);
	if (fd < 0) {
		w->entry->len = dir_len;
		/* Another filesystem was mounted over it: its files are out of reach, which
		 * counts as gone. */
		if (!has_gone(-fd) && fd != -EXDEV)
			see_nothing(w);
		return 0;
	}
	err = read_dir(w, fd, dir_len, skip);
	w->near = fd;
	w->near_len = len;
	memcpy(w->near_path, path + skip, len);
	return err;
}

static int walk_mount(struct tree_walk *w, const struct mount_info *mount)
{
	struct file_state facts = { 0 };
	const void *below;
	uint32_t len;
	int err;

	if (must_stop_walk(w))
		return -EINTR;
	if (strlen(mount->path) > ENTRY_PATH_MAX) {
		w->result->unreadable++;
		return 0;
	}
	w->entry->len = strlen(mount->path);
	memcpy(w->entry->path, mount->path, w->entry->len);
	w->mount = open(mount->path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	err = w->mount < 0 ? -errno : file_state__get(w->mount, "", false, &facts);
	if (err) {
		if (!has_gone(-err))
			see_nothing(w);
		err = 0;
		goto out;
	}
	/* Another mount covers it. */
	if (mount->id && facts.mount && facts.mount != mount->id)
		goto out;
	see(w, &facts);
	if (!S_ISDIR(facts.mode))
		goto out;
	err = spool__put(w->queue, "", 0);
	while (!err && (err = spool__take(w->queue, &below, &len)) > 0)
		err = walk_dir(w, mount, below, len);
out:
	forget_near(w);
	if (w->mount >= 0)
		close(w->mount);
	return err;
}

/* Walks PATH only: in its mount and in the mounts below it. */
static int walk_tree(struct tree_walk *w, const struct mount_list *mounts, const char *path)
{
	const struct mount_info *on = mount_list__of(mounts, path);
	struct mount_info top = { .path = (char *)path };
	size_t len = strlen(path);
	int err = 0;

	if (on && on->real && (w->config->network || !on->network) && strcmp(on->path, path))
		err = walk_mount(w, &top);
	for (size_t i = 0; !err && i < mounts->n; i++) {
		const struct mount_info *m = &mounts->list[i];

		if (m->chosen && entry__below(path, len, m->path, strlen(m->path)))
			err = walk_mount(w, m);
	}
	return err;
}

static int walk_trees(struct tree_walk *w, const struct mount_list *mounts)
{
	const struct filesystem_config *c = w->config;
	int err = 0;

	for (size_t i = 0; !err && i < c->n_roots; i++) {
		const struct path_prefix *root = &c->roots[i];
		char path[PATH_MAX];
		bool twice = false;

		snprintf(path, sizeof(path), "%.*s", (int)(root->len ? root->len : 1), root->text);
		for (size_t k = 0; k < c->n_roots; k++) {
			const struct path_prefix *other = &c->roots[k];

			if (k != i && entry__below(other->text, other->len ? other->len : 1, path,
						   strlen(path)))
				twice |= other->len < root->len || k < i;
		}
		if (!twice)
			err = walk_tree(w, mounts, path);
	}
	return err;
}

static bool is_requested(const struct filesystem_config *c, const char *path, size_t len)
{
	for (size_t i = 0; i < c->n_roots; i++)
		if (entry__below(c->roots[i].text, c->roots[i].len ? c->roots[i].len : 1, path,
				 len))
			return true;
	return !c->n_roots;
}

/* A mount for which the list has no place is not walked. */
static void skip_mount(void *arg, const struct mount_info *mount)
{
	size_t len = strlen(mount->path);
	struct tree_walk *w = arg;

	if (len > ENTRY_PATH_MAX || !mount_list__is_wanted(mount, w->config->network) ||
	    !is_requested(w->config, mount->path, len))
		return;
	w->entry->len = len;
	memcpy(w->entry->path, mount->path, len);
	see_nothing(w);
}

static int walk_all(struct tree_walk *w)
{
	struct mount_list mounts = { 0 };
	int err = mount_list__here(&mounts, skip_mount, w);

	if (err)
		return err;
	mount_list__choose(&mounts, w->config->network);
	if (w->config->n_roots)
		err = walk_trees(w, &mounts);
	for (size_t i = 0; !err && !w->config->n_roots && i < mounts.n; i++)
		if (mounts.list[i].chosen)
			err = walk_mount(w, &mounts.list[i]);
	mount_list__clear(&mounts);
	return err;
}

/* ---- the baseline ---- */

static int open_baseline(struct tree_walk *w)
{
	int fd = openat(w->config->state, w->baseline, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static bool read_head(struct run_reader *r, char base[96])
{
	size_t magic = sizeof(MAGIC) - 1;
	const void *record;
	uint32_t len;

	if (run_reader__next(r, &record, &len) <= 0 || len <= magic || len - magic >= 96 ||
	    memcmp(record, MAGIC, magic))
		return false;
	memcpy(base, (const char *)record + magic, len - magic);
	base[len - magic] = 0;
	return true;
}

static bool is_entry(const struct snap_entry *e, uint32_t len)
{
	return len >= sizeof(*e) && e->len <= ENTRY_PATH_MAX && len == ENTRY_SIZE(e->len);
}

/* Whether there is a complete, undamaged baseline. Changes are compared with no other. */
static bool check_baseline(struct tree_walk *w)
{
	int fd = open_baseline(w), got = -1;
	struct run_reader *r = NULL;
	uint64_t n = 0;
	const void *record;
	uint32_t len;

	if (fd < 0)
		return false;
	if (!run_reader__new(&r, fd) && read_head(r, w->result->base))
		while ((got = run_reader__next(r, &record, &len)) > 0 && is_entry(record, len))
			if (++n % 1024 == 0 && must_stop_walk(w))
				break;
	run_reader__free(r);
	close(fd);
	if (got)
		w->result->base[0] = 0;
	else
		atomic_store(w->config->expected, n);
	return !got;
}

struct old {
	int fd;
	struct run_reader *reader;
	const struct snap_entry *entry; /* NULL at the end */
};

static int next_old(struct old *o)
{
	const void *record;
	uint32_t len;
	int got = o->reader ? run_reader__next(o->reader, &record, &len) : 0;

	if (got < 0 || (got && !is_entry(record, len)))
		return got < 0 ? got : -EBADMSG;
	o->entry = got ? record : NULL;
	return 0;
}

static int open_old(struct tree_walk *w, struct old *o)
{
	char base[96];
	int err;

	*o = (struct old){ .fd = -1 };
	if (w->result->full)
		return 0;
	o->fd = open_baseline(w);
	if (o->fd < 0)
		return o->fd;
	err = run_reader__new(&o->reader, o->fd);
	if (!err && !read_head(o->reader, base))
		err = -EBADMSG;
	return err ? err : next_old(o);
}

static void close_old(struct old *o)
{
	run_reader__free(o->reader);
	if (o->fd >= 0)
		close(o->fd);
}

/* An old entry that has no new one: it is gone, or below a directory that could not be read. */
static int drop_old(struct tree_walk *w, struct old *o, const char *blind, size_t blind_len,
		    struct run_writer *out)
{
	int err = 0;

	if (blind_len && entry__below(blind, blind_len, o->entry->path, o->entry->len)) {
		err = run_writer__add(out, o->entry, ENTRY_SIZE(o->entry->len));
	} else {
		w->result->gone++;
		write_entry(w, o->entry, true);
	}
	return err ? err : next_old(o);
}

/* Merges the old and the new entries, writes the differences as rows, and the new baseline. */
static int merge(struct tree_walk *w, struct old *o, struct run_writer *out)
{
	char *blind = malloc(ENTRY_PATH_MAX), *last = malloc(ENTRY_PATH_MAX);
	size_t blind_len = 0, last_len = 0;
	const void *record = NULL;
	uint32_t len;
	int got = 0, err = blind && last ? 0 : -ENOMEM;

	while (!err && (got = snap_sorter__next(w->sorter, &record, &len)) > 0) {
		const struct snap_entry *e = record;
		int order = -1;

		while (!err && o->entry &&
		       (order = entry__order_paths(o->entry->path, o->entry->len, e->path,
						   e->len)) < 0)
			err = drop_old(w, o, blind, blind_len, out);
		if (err)
			break;
		if (e->flags & ENTRY_BLIND) {
			if (!blind_len || !entry__below(blind, blind_len, e->path, e->len)) {
				memcpy(blind, e->path, e->len);
				blind_len = e->len;
			}
			continue;
		}
		/* A directory that changes while it is read can return a name twice. */
		if (last_len == e->len && !memcmp(last, e->path, e->len))
			continue;
		memcpy(last, e->path, e->len);
		last_len = e->len;
		if (!w->result->full && (!o->entry || order || !entry__same(o->entry, e)))
			write_entry(w, e, false);
		err = run_writer__add(out, e, len);
		if (!err && o->entry && !order)
			err = next_old(o);
	}
	while (!err && !got && o->entry)
		err = must_stop_walk(w) ? -EINTR : drop_old(w, o, blind, blind_len, out);
	free(blind);
	free(last);
	return err ? err : got;
}

/* The least recently used baseline, if there are too many; else NULL. */
static const char *superfluous(int state, const struct dir_names *names)
{
	struct timespec least = { 0 };
	const char *oldest = NULL;
	size_t n = 0;

	for (size_t i = 0; i < names->n; i++) {
		const char *name = names->names[i];
		struct stat st;

		if (strncmp(name, BASELINE_PREFIX, sizeof(BASELINE_PREFIX) - 1) ||
		    fstatat(state, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (!n++ || st.st_mtim.tv_sec < least.tv_sec) {
			least = st.st_mtim;
			oldest = name;
		}
	}
	return n > BASELINES_MAX ? oldest : NULL;
}

static void limit_baselines(int state)
{
	struct dir_names names;
	const char *name;

	if (dir_names__read(&names, state))
		return;
	while ((name = superfluous(state, &names)) && !unlinkat(state, name, 0))
		;
	dir_names__clear(&names);
}

#define NEW_SUFFIX ".new"

static int begin_new(struct tree_walk *w, const char *name, char new_name[64],
		     struct run_writer **ret)
{
	char head[sizeof(MAGIC) + 96];
	int fd, err;

	snprintf(new_name, 64, "%s" NEW_SUFFIX, w->baseline);
	snprintf(head, sizeof(head), MAGIC "%s", name);
	unlinkat(w->config->state, new_name, 0);
	fd = openat(w->config->state, new_name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	if (fd < 0)
		return -errno;
	err = run_writer__new(ret, fd);
	if (!err)
		err = run_writer__add(*ret, head, strlen(head));
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

/* Compares and writes the new baseline beside the old one. Its descriptor, or a negative errno. */
static int compare(struct tree_walk *w, const char *name, char new_name[64])
{
	struct run_writer *out = NULL;
	struct old old;
	int fd = begin_new(w, name, new_name, &out), err;

	if (fd < 0) {
		run_writer__free(out);
		return fd;
	}
	err = open_old(w, &old);
	if (!err)
		err = merge(w, &old, out);
	if (!err)
		err = run_writer__end(out);
	if (!err && fsync(fd) < 0)
		err = -errno;
	close_old(&old);
	run_writer__free(out);
	if (!err)
		return fd;
	close(fd);
	unlinkat(w->config->state, new_name, 0);
	return err;
}

/* Replaces the old baseline, once the rows of the differences are on disk. */
static int replace_baseline(struct tree_walk *w, const char *new_name)
{
	if (renameat(w->config->state, new_name, w->config->state, w->baseline) < 0)
		return -errno;
	/* If a crash undoes the rename, the next snapshot compares with the older baseline. */
	(void)fsync(w->config->state);
	limit_baselines(w->config->state);
	return 0;
}

/* ---- the snapshot ---- */

static struct file_id id_of(int dir)
{
	struct file_state facts;

	if (file_state__get(dir, "", false, &facts))
		return (struct file_id){ 0 };
	return (struct file_id){ facts.major, facts.minor, facts.inode };
}

static int name_baseline(struct tree_walk *w)
{
	const struct filesystem_config *c = w->config;
	unsigned char md[EVP_MAX_MD_SIZE] = { 0 };
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	char *p = stpcpy(w->baseline, BASELINE_PREFIX);

	if (!ctx)
		return -ENOMEM;
	EVP_DigestInit_ex(ctx, EVP_sha256(), NULL);
	EVP_DigestUpdate(ctx, c->dataset, strlen(c->dataset) + 1);
	EVP_DigestUpdate(ctx, c->network ? "n" : "l", 1);
	for (size_t i = 0; i < c->n_roots; i++) {
		EVP_DigestUpdate(ctx, c->roots[i].text, c->roots[i].len);
		EVP_DigestUpdate(ctx, "", 1);
	}
	EVP_DigestFinal_ex(ctx, md, NULL);
	EVP_MD_CTX_free(ctx);
	for (int i = 0; i < 8; i++)
		p += sprintf(p, "%02x", md[i]);
	return 0;
}

static int begin_walk(struct tree_walk *w)
{
	int err = name_baseline(w);

	if (err)
		return err;
	w->apart[0] = id_of(w->config->state);
	w->apart[1] = id_of(w->config->rows.session_fd);
	w->entry = malloc(ENTRY_SIZE(ENTRY_PATH_MAX + 1));
	w->near_path = malloc(ENTRY_PATH_MAX);
	if (!w->entry || !w->near_path)
		return -ENOMEM;
	w->result->full = w->config->full || !check_baseline(w);
	err = w->result->error;
	if (!err)
		err = snap_rows__new(&w->rows, &w->config->rows, 1);
	if (!err)
		err = spool__new(&w->queue, w->config->state);
	if (!err)
		err = snap_sorter__new(&w->sorter, entry__order, w->config->state, walk_stopped, w,
				       w->config->sort_bytes);
	return err;
}

/* A full snapshot is complete if the walk is; a snapshot of changes if all of them were found. */
static void run_walk(struct tree_walk *w, const char *name)
{
	struct filesystem_result *result = w->result;
	int err = walk_all(w), baseline = -1;
	char new_name[64];

	w->queue = spool__free(w->queue);
	if (err)
		fail_walk(w, err);
	if (result->full) {
		result->complete = !result->error || (!err && !w->sorter);
		err = snap_rows__end(w->rows, result->complete ? "complete" : "incomplete");
		if (err)
			result->complete = false;
	}
	if (w->sorter && !result->error && !err)
		baseline = compare(w, name, new_name);
	if (baseline < 0 && w->sorter && !err)
		fail_walk(w, baseline);
	if (!result->full) {
		result->complete = baseline >= 0 && !result->error;
		err = snap_rows__end(w->rows, result->complete ? "complete" : "incomplete");
		if (err)
			result->complete = false;
	}
	if (err)
		fail_walk(w, err);
	if (baseline < 0)
		return;
	close(baseline);
	if (result->complete && !result->error)
		err = replace_baseline(w, new_name);
	else
		unlinkat(w->config->state, new_name, 0);
	if (err)
		fail_walk(w, err);
}

void filesystem__snapshot(const struct filesystem_config *config, const char *name,
			  struct filesystem_result *ret)
{
	struct tree_walk *w = calloc(1, sizeof(*w));
	int err;

	memset(ret, 0, sizeof(*ret));
	if (!w) {
		ret->error = -ENOMEM;
		return;
	}
	w->config = config;
	w->result = ret;
	w->mount = w->near = -1;
	err = begin_walk(w);
	if (!err)
		run_walk(w, name);
	else
		fail_walk(w, err);
	ret->parts = w->rows ? snap_rows__parts(w->rows) : 0;
	snap_rows__free(w->rows);
	spool__free(w->queue);
	snap_sorter__free(w->sorter);
	free(w->entry);
	free(w->near_path);
	free(w);
}
