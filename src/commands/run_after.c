// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/run_after.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "platform/file_state.h"
#include "platform/macros.h"

static int by_file_path(const void *a, const void *b)
{
	return strcmp((*(struct run_file *const *)a)->path, (*(struct run_file *const *)b)->path);
}

static int64_t ns_of(struct file_time t)
{
	return t.second * NSEC_PER_SEC + t.ns;
}

/* Whether F, as it is now, was changed while the command ran, by any process. */
static bool changed(const struct run_file *f, const struct file_state *now, struct run_span ran)
{
	int64_t contents = ns_of(now->modified), inode = ns_of(now->changed);

	return (contents >= ran.began_ns && contents <= ran.ended_ns) ||
	       (!(f->is & RUN_LINKED) && inode >= ran.began_ns && inode <= ran.ended_ns);
}

static void finish_file(struct run_file *f, struct run_span ran)
{
	struct file_state now;
	bool there = !(f->is & RUN_GONE) &&
		     f->is & (RUN_WRITTEN | RUN_READ | RUN_OURS | RUN_READABLE) &&
		     !file_state__get(AT_FDCWD, f->path, false, &now);

	run_uses__merge(&f->uses);
	/* strace does not report inode numbers. */
	if (there && !f->inode)
		f->inode = now.inode;
	if (there && S_ISDIR(now.mode))
		f->is |= RUN_DIRECTORY;
	if (f->is & RUN_MAYBE && !(f->is & RUN_FILLED)) {
		bool before = there && now.has_birth && ns_of(now.birth) < ran.began_ns;

		f->is &= ~RUN_MAYBE;
		f->is |= before ? 0 : RUN_MADE;
	}
	if (f->is & RUN_READABLE && !(f->is & (RUN_FILLED | RUN_MADE)))
		f->is |= RUN_READ;
	if (f->is & RUN_READ && !(f->is & (RUN_WRITTEN | RUN_MADE | RUN_GONE)) && there &&
	    S_ISREG(now.mode) && changed(f, &now, ran))
		f->is |= RUN_CHANGED;
}

/* Whether a change of LINK, a path that leads to file PATH, was one of that file. */
static bool leads_to(const struct run_file *link, const char *path, struct run_span ran)
{
	struct file_state now;

	if (link->reached)
		return !file_state__get(AT_FDCWD, path, false, &now) && now.inode == link->reached;
	if (link->is & RUN_FOLLOWED || file_state__get(AT_FDCWD, link->path, false, &now))
		return true;
	/* A link that has not changed is not what the call changed. */
	return !S_ISLNK(now.mode) || ns_of(now.changed) < ran.began_ns;
}

/* Finds the file that was changed by a path with symbolic links. */
static void follow(struct run_files *f, struct run_file *link, struct run_span ran)
{
	char *path;

	if (!(link->is & RUN_REACHED) || link->is & RUN_GONE)
		return;
	path = realpath(link->path, NULL);
	if (path && strcmp(path, link->path) != 0 && leads_to(link, path, ran))
		run_files__leads_to(f, link, path);
	free(path);
}

static int compare_inodes(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* A change that the command made through another hard link of a file is its own. */
static void clear_own_changes(struct run_files *f)
{
	size_t n = 0, n_changed = 0;
	uint64_t *ours;

	for (size_t i = 0; i < f->n; i++)
		n_changed += !!(f->files[i]->is & RUN_CHANGED);
	if (!n_changed)
		return;
	ours = malloc(f->n * sizeof(*ours));
	if (!ours) {
		f->full = true;
		return;
	}
	for (size_t i = 0; i < f->n; i++)
		if (f->files[i]->is & (RUN_WRITTEN | RUN_GONE | RUN_LINKED) && f->files[i]->inode)
			ours[n++] = f->files[i]->inode;
	qsort(ours, n, sizeof(*ours), compare_inodes);
	for (size_t i = 0; i < f->n; i++)
		if (bsearch(&f->files[i]->inode, ours, n, sizeof(*ours), compare_inodes))
			f->files[i]->is &= ~RUN_CHANGED;
	free(ours);
}

/* Whether another process has removed or renamed F. Files in /proc/PID vanish with their
 * process. */
static bool is_lost(const struct run_files *f, const struct run_file *file)
{
	struct stat st;

	if (!(file->is & RUN_READ) || file->is & (RUN_WRITTEN | RUN_MADE | RUN_GONE) ||
	    !strncmp(file->path, "/proc/", 6) || !lstat(file->path, &st) || errno != ENOENT)
		return false;
	for (size_t i = 0; i < f->n_renames; i++) {
		const char *from = f->renames[i].from;
		size_t len = from ? strlen(from) : 0;

		if (len && !strncmp(file->path, from, len) && file->path[len] == '/')
			return false;
	}
	return true;
}

void run_after__look(struct run_files *f, struct run_span ran)
{
	size_t n = f->n; /* files to which they lead are added */

	for (size_t i = 0; i < n; i++)
		follow(f, f->files[i], ran);
	for (size_t i = 0; i < f->n; i++) {
		finish_file(f->files[i], ran);
		if (is_lost(f, f->files[i]))
			f->files[i]->is |= RUN_CHANGED;
	}
	clear_own_changes(f);
	for (size_t i = 0; i < f->n_renames; i++) {
		const struct run_rename *r = &f->renames[i];
		struct stat st;

		f->moved += !r->ours && r->to && !lstat(r->to, &st) && S_ISDIR(st.st_mode);
	}
	if (f->n)
		/* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
		qsort(f->files, f->n, sizeof(*f->files), by_file_path);
}
