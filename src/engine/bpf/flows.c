// SPDX-License-Identifier: GPL-2.0-or-later
/* Open connections and sockets. Connections from before the recording are noted when it begins;
 * later, the reader asks for records of all of them. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "engine/bpf/bpf.h"
#include "engine/bpf/iterator.h"
#include "engine/bpf/kernel.h"
#include "iotrc.skel.h"

static void tell_flow(void *arg, const void *entry)
{
	const struct sink *sink = arg;

	if (sink)
		sink->event(sink->arg, entry, sizeof(struct rec_flow));
}

_Static_assert(sizeof(struct rec_flow) <= ITERATOR_ENTRY_MAX, "it can be read");

/* Passes the records of the iterator FD to SINK. FD may be a negative errno, which is returned. */
static int look(int fd, const struct sink *sink)
{
	int err;

	if (fd < 0)
		return fd;
	err = iterator__read(fd, sizeof(struct rec_flow), tell_flow, (void *)sink);
	close(fd);
	return err;
}

/* Until 5.18 creating an iterator needs privileges, which a recording has dropped by the time it
 * needs one: so some are created in advance. */
static int stock_iterators(struct bpf_engine *b, const struct btf *btf)
{
	if (kernel__iterators_free(btf))
		return 0;
	while (b->n_flow_fds < FLOW_FDS_MAX) {
		int fd = bpf_iter_create(bpf_link__fd(b->flows_link));

		if (fd < 0)
			return fd;
		b->flow_fds[b->n_flow_fds++] = fd;
	}
	return 0;
}

/* Whether a program is attached to HOOK. */
static bool is_chosen(const struct bpf_engine *b, enum hook hook)
{
	for (size_t i = 0; i < n_programs; i++)
		if (programs[i].hook == hook && b->chosen[i])
			return true;
	return false;
}

int flows__prepare(struct bpf_engine *b, const struct btf *btf, char *problem)
{
	int err;

	if (!(b->streams & BIT(STREAM_NW_FLOW)))
		return 0;
	b->sockets_end_unseen = !is_chosen(b, HOOK_SOCKET_CLOSE);
	b->flows_link = bpf_program__attach_iter(b->skel->progs.look_at_flows, NULL);
	err = b->flows_link ? look(bpf_iter_create(bpf_link__fd(b->flows_link)), NULL) : -errno;
	if (!err)
		err = stock_iterators(b, btf);
	return err ? engine__problem(problem, err, "cannot look at connections: %s",
				     strerror(-err)) :
		     0;
}

/* The last one is reserved for the end. */
static int take_iterator(struct bpf_engine *b, bool last)
{
	if (b->n_flow_fds > !last)
		return b->flow_fds[--b->n_flow_fds];
	return bpf_iter_create(bpf_link__fd(b->flows_link));
}

/* Makes rows of the sockets whose end no program has seen. On old kernels programs see every
 * end. */
static int end_sockets(struct bpf_engine *b)
{
	LIBBPF_OPTS(bpf_test_run_opts, run);
	int prog = bpf_program__fd(b->skel->progs.end_gone_sockets);

	return b->counts_by_functions ? 0 : bpf_prog_test_run_opts(prog, &run);
}

int flows__tell(struct engine *e, enum flow_event event, const struct sink *sink)
{
	struct bpf_engine *b = (struct bpf_engine *)e;
	int err;

	if (!b->flows_link || (event == FLOW_END && !b->sockets_end_unseen))
		return 0;
	err = end_sockets(b);
	if (err || event == FLOW_END)
		return err;
	b->skel->data->flow_event = event;
	b->skel->bss->flow_round++;
	return look(take_iterator(b, event == FLOW_STOP), sink);
}

void flows__free(struct bpf_engine *b)
{
	while (b->n_flow_fds)
		close(b->flow_fds[--b->n_flow_fds]);
	bpf_link__destroy(b->flows_link);
	b->flows_link = NULL;
}
