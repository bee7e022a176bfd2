// SPDX-License-Identifier: GPL-2.0-or-later
/* The definitions of threads and files, from which rows get their names. */
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <sys/stat.h>

#include "base/log.h"
#include "engine/macos/state.h"
#include "platform/process_files.h"

/* ---- processes ---- */

struct process_ref {
	struct source *source;
	struct process *process;
};

static void on_file(void *arg, int number, bool closes, const char *path)
{
	struct process_ref *a = arg;

	if (!process__opened(a->process, number))
		process__open(a->source->processes, a->process, number, closes, path, strlen(path));
}

static void ask_files(struct source *s, struct process *p)
{
	struct process_ref a = { s, p };
	char cwd[PROCESS_PATH_SIZE];

	p->not_queried = false;
	if (!s->all->can_ask || s->kind->stream != STREAM_FS)
		return;
	process_files__list((pid_t)p->pid, on_file, &a);
	if (!p->cwd && !process_files__cwd((pid_t)p->pid, cwd))
		process__set_cwd(p, cwd, strlen(cwd));
}

void macos__ask_arguments(struct process *p)
{
	ssize_t len = process_files__arguments((pid_t)p->pid, p->cmdline, sizeof(p->cmdline),
					       &p->cmdline_cut);

	p->cmdline_len = len > 0 ? (uint16_t)len : 0;
	p->version++;
}

static bool is_chosen(const struct selection *sel, const struct process *p)
{
	for (size_t i = 0; i < sel->n_pids; i++)
		if ((uint32_t)sel->pids[i] == p->pid || (uint32_t)sel->pids[i] == p->ppid)
			return true;
	return !sel->n_pids;
}

struct process *macos__process(struct source *s, uint32_t pid)
{
	struct process *p = process_table__find(s->processes, pid);

	if (!p) {
		p = process_table__get(s->processes, pid);
		if (p)
			p->wanted = is_chosen(s->all->selection, p);
	}
	if (p && p->not_queried)
		ask_files(s, p);
	return p;
}

struct process *macos__process_of(struct source *s, const struct call_line *l)
{
	struct process *p = macos__process(s, l->pid);
	uint64_t ns = macos__ns(s->all, l->ns);

	if (p)
		return p;
	macos__lose(s, 1, ns, ns);
	if (!s->is_full)
		log__line(LOG_WARNING, "%s: more than %d processes: rows of further ones are lost",
			  s->kind->name, PROCESSES_MAX);
	s->is_full = true;
	return NULL;
}

static void ask_arguments(void *arg, pid_t pid)
{
	struct source *s = arg;
	struct process *p = macos__process(s, (uint32_t)pid);

	if (p)
		macos__ask_arguments(p);
}

void macos__ask_all(struct source *s)
{
	if (s->all->can_ask)
		process_files__processes(ask_arguments, s);
}

bool macos__is_wanted(const struct macos *d, const struct process *p)
{
	const struct selection *sel = d->selection;

	if (!p->wanted)
		return false;
	for (size_t i = 0; i < sel->commands.n; i++)
		if (!strncmp(sel->commands.names[i], p->comm, SELECTION_COMM_MAX))
			return true;
	return !sel->commands.n;
}

bool macos__take_task(struct source *s, const struct call_line *l)
{
	struct process *p = macos__process(s, l->pid);
	char comm[COMM_BYTES] = "";

	if (l->n_texts != 1)
		return false;
	if (!p)
		return true; /* the row that follows is lost */
	memcpy(comm, l->text[0].s, MIN(l->text[0].len, sizeof(comm) - 1));
	if (p->named && !memcmp(p->comm, comm, sizeof(comm)) && p->ppid == (uint32_t)l->ret)
		return true;
	memcpy(p->comm, comm, sizeof(comm));
	p->ppid = (uint32_t)l->ret;
	p->wanted |= is_chosen(s->all->selection, p);
	p->named = true;
	p->version++;
	if (!p->cmdline_len)
		macos__ask_arguments(p);
	return true;
}

/* ---- definitions ---- */

static void define_task(struct macos *d, const struct process *p, uint32_t tid, uint64_t id)
{
	char buf[sizeof(struct rec_task) + CMDLINE_BYTES] __attribute__((aligned(8)));
	struct rec_task *r = (struct rec_task *)buf;

	*r = (struct rec_task){
		.type = REC_TASK,
		.len = p->cmdline_len,
		.pid = p->pid,
		.tid = tid,
		.ppid = p->ppid,
		.cmdline_cut = p->cmdline_cut,
		.id = id,
	};
	memcpy(r->comm, p->comm, sizeof(r->comm));
	memcpy(r->cmdline, p->cmdline, p->cmdline_len);
	d->sink->define(d->sink->arg, r, sizeof(*r) + r->len);
}

uint64_t macos__task_id(struct source *s, const struct process *p, uint32_t tid)
{
	struct macos *d = s->all;
	struct known_task *k =
		&d->tasks[(tid ^ (uint32_t)s->kind->stream << 12) & (TASKS_KNOWN - 1)];

	if (k->source == s && k->pid == p->pid && k->tid == tid && k->version == p->version &&
	    k->epoch == d->epoch && k->id)
		return k->id;
	*k = (struct known_task){ s, p->pid, tid, p->version, d->epoch, ++d->ids };
	define_task(d, p, tid, k->id);
	return k->id;
}

uint64_t macos__file_id(struct source *s, struct opened *o)
{
	char buf[sizeof(struct rec_path) + PATH_BYTES] __attribute__((aligned(8)));
	struct rec_path *r = (struct rec_path *)buf;
	struct macos *d = s->all;

	if (o->is_socket || !o->len || o->len >= PATH_BYTES ||
	    mounts__pseudo_path(d->mounts, o->path, o->len))
		return 0;
	if (o->id && o->epoch == d->epoch)
		return o->id;
	o->id = ++d->ids;
	o->epoch = d->epoch;
	*r = (struct rec_path){
		.type = REC_PATH,
		.kind = PATH_NAMED,
		.len = (uint16_t)o->len,
		.flags = o->deleted ? PATH_DELETED : 0,
		.id = o->id,
		.mode = S_IFREG,
	};
	memcpy(r->path, o->path, o->len);
	d->sink->define(d->sink->arg, r, sizeof(*r) + o->len);
	return o->id;
}
