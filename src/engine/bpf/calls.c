// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "engine/bpf/bpf.h"
#include "iotrc.skel.h"
#include "rows/operation.h"

static void tell_one(const struct call_in_progress *c, engine_call_fn tell, void *arg)
{
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
	tell(arg, &call);
}

/* What a read returns may end within a struct. */
static int read_calls(int fd, engine_call_fn tell, void *arg)
{
	struct call_in_progress calls[64];
	char *buf = (char *)calls;
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, buf + len, sizeof(calls) - len)) > 0 || (n < 0 && errno == EINTR)) {
		size_t whole;

		if (n < 0)
			continue;
		len += n;
		whole = len / sizeof(*calls);
		for (size_t i = 0; i < whole; i++)
			tell_one(&calls[i], tell, arg);
		len -= whole * sizeof(*calls);
		memmove(buf, &calls[whole], len);
	}
	return n < 0 ? -errno : 0;
}

int calls__tell(struct engine *e, engine_call_fn tell, void *arg)
{
	struct bpf_engine *b = (struct bpf_engine *)e;
	struct bpf_link *link;
	int fd, err;

	if (!b->tells_calls)
		return -EINVAL;
	link = bpf_program__attach_iter(b->skel->progs.tell_calls, NULL);
	if (!link)
		return -errno;
	fd = bpf_iter_create(bpf_link__fd(link));
	err = fd < 0 ? fd : read_calls(fd, tell, arg);
	if (fd >= 0)
		close(fd);
	bpf_link__destroy(link);
	return err;
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
