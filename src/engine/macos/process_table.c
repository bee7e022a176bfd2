// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/macos/process_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

#define BUCKETS 4096 /* a power of two */

struct process_table {
	size_t n, n_descriptors, n_dirs;
	uint64_t left_out;    /* descriptors that did not fit */
	struct opened *files; /* all with a path */
	struct process *buckets[BUCKETS];
};

int process_table__new(struct process_table **ret)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

/* ---- what is open ---- */

static void let_go(struct process_table *all, struct opened *o)
{
	if (--o->refs)
		return;
	if (o->before)
		o->before->next = o->next;
	else if (all->files == o)
		all->files = o->next;
	if (o->next)
		o->next->before = o->before;
	free(o->path);
	free(o);
}

/* Returns the index of NUMBER, or where it would be inserted. */
static size_t place(const struct process *p, int number)
{
	size_t low = 0, high = p->n_descriptors;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (p->descriptors[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct descriptor *find_descriptor(const struct process *p, int number)
{
	size_t i = place(p, number);

	return i < p->n_descriptors && p->descriptors[i].number == number ? &p->descriptors[i] :
									    NULL;
}

struct opened *process__opened(struct process *p, int number)
{
	struct descriptor *d = find_descriptor(p, number);

	return d ? d->opened : NULL;
}

void process__close(struct process_table *all, struct process *p, int number)
{
	struct descriptor *d = find_descriptor(p, number);

	if (!d)
		return;
	let_go(all, d->opened);
	p->n_descriptors--;
	all->n_descriptors--;
	memmove(d, d + 1, (p->descriptors + p->n_descriptors - d) * sizeof(*d));
}

/* Takes over the caller's reference to O, which may be NULL if out of memory. */
static struct opened *set(struct process_table *all, struct process *p, int number, bool closes,
			  struct opened *o)
{
	struct descriptor *grown = NULL;
	size_t i;

	process__close(all, p, number);
	if (!o)
		return NULL;
	if (number >= 0 && number < DESCRIPTOR_MAX && all->n_descriptors < DESCRIPTORS_MAX)
		grown = array__grow(p->descriptors, p->n_descriptors, &p->capacity, sizeof(*grown));
	if (!grown) {
		all->left_out += number >= 0; /* eslogger reports no numbers */
		let_go(all, o);
		return NULL;
	}
	p->descriptors = grown;
	i = place(p, number);
	memmove(grown + i + 1, grown + i, (p->n_descriptors - i) * sizeof(*grown));
	grown[i] = (struct descriptor){ .number = number, .closes = closes, .opened = o };
	p->n_descriptors++;
	all->n_descriptors++;
	return o;
}

static char *copy(const char *s, size_t len)
{
	char *text = malloc(len + 1);

	if (text) {
		memcpy(text, s, len);
		text[len] = 0;
	}
	return text;
}

struct opened *process__open(struct process_table *all, struct process *p, int number, bool closes,
			     const char *path, size_t len)
{
	struct opened *o = calloc(1, sizeof(*o));

	if (o && !(o->path = copy(path, len))) {
		free(o);
		o = NULL;
	}
	if (o) {
		o->refs = 1;
		o->len = len;
		o->next = all->files;
		if (o->next)
			o->next->before = o;
		all->files = o;
	}
	return set(all, p, number, closes, o);
}

struct opened *process__open_socket(struct process_table *all, struct process *p, int number,
				    bool closes)
{
	struct opened *o = calloc(1, sizeof(*o));

	if (o) {
		o->refs = 1;
		o->is_socket = true;
	}
	return set(all, p, number, closes, o);
}

void process__dup(struct process_table *all, struct process *p, int old, int number, bool closes)
{
	struct opened *o = process__opened(p, old);

	if (old == number && o)
		return;
	if (o)
		o->refs++;
	set(all, p, number, closes, o);
}

void process__set_closes(struct process *p, int number, bool closes)
{
	struct descriptor *d = find_descriptor(p, number);

	if (d)
		d->closes = closes;
}

static void close_those(struct process_table *all, struct process *p, bool every)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->n_descriptors; i++) {
		if (every || p->descriptors[i].closes)
			let_go(all, p->descriptors[i].opened);
		else
			p->descriptors[kept++] = p->descriptors[i];
	}
	all->n_descriptors -= p->n_descriptors - kept;
	p->n_descriptors = kept;
}

/* ---- working directories ---- */

static struct thread_dir *find_dir(const struct process *p, uint32_t tid)
{
	for (size_t i = 0; i < p->n_dirs; i++)
		if (p->dirs[i].tid == tid)
			return &p->dirs[i];
	return NULL;
}

const char *process__cwd(const struct process *p, uint32_t tid)
{
	const struct thread_dir *d = find_dir(p, tid);

	return d ? d->path : p->dirs_full ? NULL : p->cwd;
}

void process__set_cwd(struct process *p, const char *path, size_t len)
{
	free(p->cwd);
	p->cwd = len ? copy(path, len) : NULL;
}

void process__set_thread_dir(struct process_table *all, struct process *p, uint32_t tid,
			     const char *path, size_t len)
{
	struct thread_dir *d = find_dir(p, tid), *grown = NULL;

	if (d) {
		free(d->path);
	} else {
		if (all->n_dirs < THREAD_DIRS_MAX)
			grown = array__grow(p->dirs, p->n_dirs, &p->dirs_capacity, sizeof(*grown));
		if (!grown) {
			p->dirs_full = true;
			return;
		}
		p->dirs = grown;
		d = &grown[p->n_dirs++];
		all->n_dirs++;
	}
	*d = (struct thread_dir){ tid, len ? copy(path, len) : NULL };
}

void process__drop_thread_dir(struct process_table *all, struct process *p, uint32_t tid)
{
	struct thread_dir *d = find_dir(p, tid);

	if (!d)
		return;
	free(d->path);
	*d = p->dirs[--p->n_dirs];
	all->n_dirs--;
}

static void drop_thread_dirs(struct process_table *all, struct process *p)
{
	for (size_t i = 0; i < p->n_dirs; i++)
		free(p->dirs[i].path);
	all->n_dirs -= p->n_dirs;
	p->n_dirs = 0;
	p->dirs_full = false;
}

/* The process works where the thread did that called exec(). On macOS the program runs in a new
 * thread: then it is not known which one that was. */
static void settle_cwd(struct process_table *all, struct process *p, uint32_t tid)
{
	const struct thread_dir *d = find_dir(p, tid);

	if (!p->n_dirs && !p->dirs_full)
		return;
	process__set_cwd(p, d ? d->path : NULL, d && d->path ? strlen(d->path) : 0);
	p->not_queried |= !p->cwd;
	drop_thread_dirs(all, p);
}

void process__exec(struct process_table *all, struct process *p, uint32_t tid)
{
	close_those(all, p, false);
	settle_cwd(all, p, tid);
}

void process__forget_files(struct process_table *all, struct process *p)
{
	close_those(all, p, true);
	drop_thread_dirs(all, p);
	process__set_cwd(p, NULL, 0);
	p->not_queried = true;
}

/* ---- processes ---- */

static struct process **bucket(struct process_table *p, uint32_t pid)
{
	struct process **at = &p->buckets[pid & (BUCKETS - 1)];

	while (*at && (*at)->pid != pid)
		at = &(*at)->next;
	return at;
}

struct process *process_table__find(struct process_table *p, uint32_t pid)
{
	return *bucket(p, pid);
}

void process_table__remove(struct process_table *p, uint32_t pid)
{
	struct process **at = bucket(p, pid), *process = *at;

	if (!process)
		return;
	*at = process->next;
	p->n--;
	close_those(p, process, true);
	drop_thread_dirs(p, process);
	free(process->descriptors);
	free(process->dirs);
	free(process->cwd);
	free(process);
}

struct process_table *process_table__free(struct process_table *p)
{
	for (size_t i = 0; p && i < BUCKETS; i++)
		while (p->buckets[i])
			process_table__remove(p, p->buckets[i]->pid);
	free(p);
	return NULL;
}

struct process *process_table__get(struct process_table *p, uint32_t pid)
{
	struct process **at = bucket(p, pid);

	if (*at || p->n >= PROCESSES_MAX)
		return *at;
	*at = calloc(1, sizeof(**at));
	if (!*at)
		return NULL;
	(*at)->pid = pid;
	(*at)->not_queried = true;
	p->n++;
	return *at;
}

struct process *process_table__fork(struct process_table *p, struct process *parent, uint32_t pid,
				    const char *cwd)
{
	struct process *child;

	if (pid == parent->pid)
		return parent;
	process_table__remove(p, pid); /* an older process whose end was missed */
	child = process_table__get(p, pid);
	if (!child)
		return NULL;
	child->ppid = parent->pid;
	child->wanted = parent->wanted;
	child->not_queried = parent->not_queried;
	memcpy(child->comm, parent->comm, sizeof(child->comm));
	memcpy(child->cmdline, parent->cmdline, sizeof(child->cmdline));
	child->cmdline_len = parent->cmdline_len;
	child->cmdline_cut = parent->cmdline_cut;
	child->named = parent->named;
	child->cwd = cwd ? strdup(cwd) : NULL;
	for (size_t i = 0; i < parent->n_descriptors; i++) {
		struct descriptor *d = &parent->descriptors[i];

		d->opened->refs++;
		set(p, child, d->number, d->closes, d->opened);
	}
	return child;
}

uint64_t process_table__left_out(const struct process_table *p)
{
	return p->left_out;
}

void process_table__forget_descriptors(struct process_table *p)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct process *process = p->buckets[i]; process; process = process->next) {
			close_those(p, process, true);
			process->not_queried = true;
		}
}

/* ---- names of files ---- */

static bool is_at_or_below(const char *path, size_t len, const char *top, size_t top_len)
{
	return len >= top_len && !memcmp(path, top, top_len) &&
	       (len == top_len || path[top_len] == '/');
}

void process_table__rename(struct process_table *p, const char *old, size_t old_len,
			   const char *new, size_t new_len)
{
	/* A file that had the new name has lost it. */
	process_table__unlink(p, new, new_len);
	for (struct opened *o = p->files; o; o = o->next) {
		size_t rest = o->len - old_len;
		char *path;

		if (o->deleted || !is_at_or_below(o->path, o->len, old, old_len))
			continue;
		path = malloc(new_len + rest + 1);
		if (!path)
			continue;
		memcpy(path, new, new_len);
		memcpy(path + new_len, o->path + old_len, rest + 1);
		free(o->path);
		o->path = path;
		o->len = new_len + rest;
		o->id = 0;
	}
}

void process_table__unlink(struct process_table *p, const char *path, size_t len)
{
	for (struct opened *o = p->files; o; o = o->next)
		if (!o->deleted && o->len == len && !memcmp(o->path, path, len)) {
			o->deleted = true;
			o->id = 0;
		}
}
