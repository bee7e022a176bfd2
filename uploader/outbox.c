// SPDX-License-Identifier: GPL-2.0-or-later
#include "uploader/outbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataset/manifest_file.h"
#include "dataset/session.h"
#include "dataset/session_lock.h"
#include "dataset/session_reader.h"

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* ---- lists ---- */

static void begin_list(struct outbox_list *l)
{
	*l = (struct outbox_list){ .tail = &l->head };
}

static void push(struct outbox_list *l, struct outbox_file *f, bool first)
{
	if (first) {
		f->next = l->head;
		l->head = f;
		if (!f->next)
			l->tail = &f->next;
	} else {
		f->next = NULL;
		*l->tail = f;
		l->tail = &f->next;
	}
	l->n++;
	l->bytes += f->bytes;
}

static struct outbox_file *pop(struct outbox_list *l)
{
	struct outbox_file *f = l->head;

	if (f) {
		l->head = f->next;
		if (!l->head)
			l->tail = &l->head;
		l->n--;
		l->bytes -= f->bytes;
	}
	return f;
}

/* Appends all of FROM to TO. */
static void join_lists(struct outbox_list *to, struct outbox_list *from)
{
	if (!from->head)
		return;
	*to->tail = from->head;
	to->tail = from->tail;
	to->n += from->n;
	to->bytes += from->bytes;
	begin_list(from);
}

struct outbox_file *outbox__take(struct outbox *o)
{
	struct outbox_file *f = pop(&o->waiting);

	if (!f && o->manifest && !o->busy && !o->stuck.n) {
		f = o->manifest;
		o->manifest = NULL;
	}
	o->busy += !!f;
	return f;
}

static void put_back(struct outbox *o, struct outbox_file *f, struct outbox_list *l, bool first)
{
	o->busy--;
	if (l == &o->waiting && outbox__is_manifest(f))
		o->manifest = f;
	else
		push(l, f, first);
}

void outbox__put_first(struct outbox *o, struct outbox_file *f)
{
	put_back(o, f, &o->waiting, true);
}

void outbox__put_last(struct outbox *o, struct outbox_file *f)
{
	put_back(o, f, &o->waiting, false);
}

void outbox__put_aside(struct outbox *o, struct outbox_file *f)
{
	put_back(o, f, &o->stuck, false);
}

void outbox__done(struct outbox *o, struct outbox_file *f)
{
	o->busy--;
	free(f);
}

void outbox__try_again(struct outbox *o)
{
	struct outbox_file *f;

	while ((f = pop(&o->stuck))) {
		o->busy++;
		f->tries = 0;
		outbox__put_last(o, f);
	}
}

/* ---- files ---- */

/* Writes the directory of PATH, which is relative to the session's, to SUBDIR. Returns the last
 * component of PATH. PATH has at most 255 bytes (session_reader__entry()). */
static const char *split(const char *path, char subdir[256])
{
	const char *slash = strchr(path, '/');

	if (!slash) {
		memcpy(subdir, ".", sizeof("."));
		return path;
	}
	memcpy(subdir, path, slash - path);
	subdir[slash - path] = 0;
	return slash + 1;
}

int outbox__open_file(const struct outbox *o, const struct outbox_file *f)
{
	char subdir[256];
	const char *name = split(f->path, subdir);

	return session_reader__open_in(o->fd, subdir, name);
}

static void remove_path(int fd, const char *path)
{
	char subdir[256];
	const char *name = split(path, subdir);
	int dir = openat(fd, subdir, DIR_FLAGS);

	if (dir < 0)
		return;
	unlinkat(dir, name, 0);
	close(dir);
}

void outbox__remove_file(const struct outbox *o, const struct outbox_file *f)
{
	remove_path(o->fd, f->path);
}

/* ---- the manifest ---- */

static struct outbox_file *new_file(const char *path, const char *sha256, uint64_t bytes)
{
	struct outbox_file *f = calloc(1, sizeof(*f) + strlen(path) + 1);

	if (f) {
		/* NOLINTNEXTLINE(*.strcpy): allocated with its length */
		strcpy(f->path, path);
		/* NOLINTNEXTLINE(*.strcpy): 64 digits: session_reader__entry() or our own */
		strcpy(f->sha256, sha256);
		f->bytes = bytes;
	}
	return f;
}

/* Adds an entry of the manifest unless it has been uploaded. */
static int consider(struct outbox *o, struct outbox_list *to, json_t *entry, const char *bytes_key)
{
	struct session_entry e;
	struct outbox_file *f;

	if (!session_reader__entry(entry, bytes_key, &e))
		return -ENOMSG;
	if (journal__has(o->journal, e.path, e.sha256)) {
		/* Killed between the two. */
		if (!o->keep)
			remove_path(o->fd, e.path);
		return 0;
	}
	f = new_file(e.path, e.sha256, e.bytes);
	if (!f)
		return -ENOMEM;
	push(to, f, false);
	return 0;
}

/* Both lists only grow at their ends. */
static int consider_all(struct outbox *o, struct outbox_list *to, json_t *list,
			const char *bytes_key, size_t *seen)
{
	int err = 0;

	while (!err && *seen < json_array_size(list)) {
		err = consider(o, to, json_array_get(list, *seen), bytes_key);
		if (!err)
			++*seen;
	}
	return err;
}

struct manifest_seen {
	struct session_reader reader;
	uint64_t bytes;
	char sha256[65]; /* of a finished session's */
};

static int read_manifest(int dir, struct manifest_seen *m)
{
	int fd = manifest_file__open(dir), err = 0;
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		err = -errno;
	else if (session_reader__load_from(&m->reader, fd))
		err = -ENOMSG;
	else if (m->reader.finished)
		err = journal__sha256(fd, m->sha256);
	m->bytes = err ? 0 : st.st_size;
	close(fd);
	return err;
}

static int absorb(struct outbox *o, const struct manifest_seen *m, struct outbox_news *n)
{
	int err = consider_all(o, &n->list, json_object_get(m->reader.root, "files"),
			       "compressed_bytes", &o->n_files);

	if (!err)
		err = consider_all(o, &n->list, json_object_get(m->reader.root, "system_spec"),
				   "bytes", &o->n_spec);
	if (err || !m->reader.finished)
		return err;
	if (!journal__has(o->journal, MANIFEST_NAME, m->sha256)) {
		n->manifest = new_file(MANIFEST_NAME, m->sha256, m->bytes);
		if (!n->manifest)
			return -ENOMEM;
	}
	n->finished = true;
	return 0;
}

static void begin_news(struct outbox_news *n)
{
	*n = (struct outbox_news){ 0 };
	begin_list(&n->list);
}

int outbox__read(struct outbox *o, struct outbox_news *ret)
{
	struct manifest_seen m = { 0 };
	int err;

	begin_news(ret);
	if (o->finished)
		return 0;
	err = read_manifest(o->fd, &m);
	if (!err)
		err = absorb(o, &m, ret);
	session_reader__clear(&m.reader);
	return err;
}

void outbox__add(struct outbox *o, struct outbox_news *news)
{
	join_lists(&o->waiting, &news->list);
	if (news->manifest)
		o->manifest = news->manifest;
	o->finished |= news->finished;
}

/* ---- the session ---- */

/* The journal is opened only when the lock is held. */
static int begin_session(struct outbox *o, const char *identity, uid_t uid, gid_t gid)
{
	struct manifest_seen m = { 0 };
	struct outbox_news news;
	int err;

	/* Not every file system has locks. */
	o->lock = session_lock__take(o->fd, o->kind == OUTBOX_ENDED ? SESSION_LOCK_ALL :
								      SESSION_LOCK_SEND);
	if (o->lock == -EWOULDBLOCK)
		return -EBUSY;
	begin_news(&news);
	err = read_manifest(o->fd, &m);
	if (err == -ENOENT && journal__session_uploaded(o->fd))
		err = -EALREADY;
	else if (!err && o->kind == OUTBOX_ENDED && !m.reader.finished)
		err = -EINPROGRESS;
	else if (!err && o->kind == OUTBOX_ELSEWHERE && m.reader.finished)
		err = -EBUSY; /* it has just ended: all of it is sent next time */
	if (!err)
		err = journal__open(&o->journal, o->fd, identity, uid, gid);
	if (!err)
		err = absorb(o, &m, &news);
	outbox__add(o, &news);
	if (!err && o->finished && outbox__idle(o))
		err = -EALREADY;
	session_reader__clear(&m.reader);
	return err;
}

int outbox__open(struct outbox **ret, int dir, const char *name, const char *key,
		 enum outbox_kind kind, bool keep, const char *identity, uid_t uid, gid_t gid)
{
	struct outbox *o = calloc(1, sizeof(*o));
	int err;

	if (!o)
		return -ENOMEM;
	begin_list(&o->waiting);
	begin_list(&o->stuck);
	o->lock = -1;
	o->kind = kind;
	o->keep = keep;
	o->key = strdup(key);
	o->fd = openat(dir, name, DIR_FLAGS);
	err = o->fd < 0 ? -errno : o->key ? begin_session(o, identity, uid, gid) : -ENOMEM;
	if (err) {
		outbox__free(o);
		return err;
	}
	*ret = o;
	return 0;
}

static void free_list(struct outbox_list *l)
{
	struct outbox_file *f;

	while ((f = pop(l)))
		free(f);
}

struct outbox *outbox__free(struct outbox *o)
{
	if (!o)
		return NULL;
	free_list(&o->waiting);
	free_list(&o->stuck);
	free(o->manifest);
	journal__free(o->journal);
	if (o->lock >= 0)
		close(o->lock);
	if (o->fd >= 0)
		close(o->fd);
	free(o->key);
	free(o);
	return NULL;
}

/* Files that a crash may have left in a session that has ended. */
static bool is_leftover(const char *name)
{
	return !strncmp(name, "." MANIFEST_NAME, sizeof("." MANIFEST_NAME) - 1);
}

int outbox__remove(int dir, const char *name)
{
	int fd = openat(dir, name, DIR_FLAGS), copy = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;
	int err = d ? 0 : -errno;

	while (d && !err && (entry = readdir(d))) {
		const char *n = entry->d_name;

		if (!strcmp(n, ".") || !strcmp(n, "..") || !strcmp(n, MANIFEST_NAME) ||
		    !strcmp(n, LOCK_NAME) || !strcmp(n, JOURNAL_NAME))
			continue;
		/* Removes directories only if they are empty. */
		if (unlinkat(fd, n, is_leftover(n) ? 0 : AT_REMOVEDIR) < 0)
			err = -errno;
	}
	if (!err && unlinkat(fd, MANIFEST_NAME, 0) < 0 && errno != ENOENT)
		err = -errno;
	if (!err && unlinkat(fd, LOCK_NAME, 0) < 0 && errno != ENOENT)
		err = -errno;
	/* The journal is removed last: it says that the rest may be removed. */
	if (!err && unlinkat(fd, JOURNAL_NAME, 0) < 0 && errno != ENOENT)
		err = -errno;
	if (!err && unlinkat(dir, name, AT_REMOVEDIR) < 0)
		err = -errno;
	if (d)
		closedir(d);
	else if (copy >= 0)
		close(copy);
	if (fd >= 0)
		close(fd);
	return err;
}
