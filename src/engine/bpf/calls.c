// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "engine/bpf/bpf.h"
#include "engine/bpf/iterator.h"
#include "iotrc.skel.h"
#include "rows/operation.h"

struct telling {
	engine_call_fn tell;
	void *arg;
};

static void tell_call(void *arg, const void *entry)
{
	const struct telling *t = arg;
	const struct call_in_progress *c = entry;
	char command[COMM_BYTES + 1] = "", path[CALL_TEXT_BYTES + 1] = "";
	struct engine_call call = { .stream = c->stream,
				    .operation = operation__name(c->stream, c->op),
				    .pid = c->pid,
				    .tid = c->tid,
				    .command = command,
				    .began_ns = c->enter_ns,
				    .fd = c->fd,
				    .dir_fd = c->dir_fd,
				    .path = path };

	memcpy(command, c->comm, COMM_BYTES);
	memcpy(path, c->text, c->text_len < CALL_TEXT_BYTES ? c->text_len : 0);
	t->tell(t->arg, &call);
}

_Static_assert(sizeof(struct call_in_progress) <= ITERATOR_ENTRY_MAX, "it can be read");

int calls__tell(struct engine *e, engine_call_fn tell, void *arg)
{
	struct bpf_engine *b = (struct bpf_engine *)e;
	struct telling t = { tell, arg };

	if (!b->tells_calls)
		return -EINVAL;
	return iterator__run(b->skel->progs.tell_calls, sizeof(struct call_in_progress), tell_call,
			     &t);
}

/* Until 5.18 creating an iterator needs privileges, which a recording has dropped by its end: so it
 * is created now. */
int calls__prepare(struct bpf_engine *b, char *problem)
{
	if (!b->tells_slow)
		return 0;
	b->unfinished_link = bpf_program__attach_iter(b->skel->progs.tell_unfinished, NULL);
	b->unfinished_fd =
		b->unfinished_link ? bpf_iter_create(bpf_link__fd(b->unfinished_link)) : -errno;
	return b->unfinished_fd < 0 ? engine__problem(problem, b->unfinished_fd,
						      "cannot look at calls in progress: %s",
						      strerror(-b->unfinished_fd)) :
				      0;
}

void calls__free(struct bpf_engine *b)
{
	if (b->unfinished_fd >= 0)
		close(b->unfinished_fd);
	b->unfinished_fd = -1;
	bpf_link__destroy(b->unfinished_link);
	b->unfinished_link = NULL;
}

#define UNFINISHED_SIZE (sizeof(struct rec_fs_long) + UNFINISHED_TEXT)

_Static_assert(UNFINISHED_SIZE <= ITERATOR_ENTRY_MAX, "it can be read");

struct calls_reader {
	struct bpf_engine *engine;
	const struct sink *sink;
};

static void find_one(void *arg, const void *entry)
{
	const struct calls_reader *f = arg;
	const struct rec_fs_long *rec = entry;

	rings__define(f->engine, f->sink);
	f->sink->event(f->sink->arg, entry, sizeof(*rec) + rec->len + rec->len2);
}

int calls__unfinished(struct engine *e, const struct sink *sink)
{
	struct bpf_engine *b = (struct bpf_engine *)e;
	struct calls_reader f = { b, sink };

	return b->tells_slow ? iterator__read(b->unfinished_fd, UNFINISHED_SIZE, find_one, &f) : 0;
}

bool calls__describe(struct engine *e, long nr, struct engine_call_kind *ret)
{
	const struct bpf_engine *b = (const struct bpf_engine *)e;
	const struct syscall_desc *d;
	bool has_path;

	if (nr < 0 || nr >= MAX_SYSCALLS)
		return false;
	d = (const struct syscall_desc *)&b->skel->bss->syscalls[nr];
	if (d->shape == SHAPE_NONE)
		return false;
	has_path = d->shape == SHAPE_PATH || d->shape == SHAPE_OPEN || d->shape == SHAPE_EXEC;
	*ret = (struct engine_call_kind){ .stream = d->stream,
					  .operation = operation__name(d->stream, d->op),
					  .fd = has_path ? -1 : d->fd - 1,
					  .path = has_path ? d->path - 1 : -1,
					  .dir_fd = has_path ? d->fd - 1 : -1 };
	return true;
}
