// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/bpf/parallel_load.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <unistd.h>

#include "base/thread.h"
#include "bpf/abi.h"
#include "platform/macros.h"

#define THREADS_MAX 8

/* What the threads share. */
struct work {
	struct parallel_load *loads;
	atomic_size_t next;
	atomic_int err; /* the first one; 0: none */
};

int parallel_load__add(struct parallel_load *p, struct bpf_program *program,
		       struct bpf_prog_load_opts *opts, struct code *code)
{
	static struct bpf_insn returns_0[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	struct pending_load *l = &p->pending[p->n];

	if (p->n == PARALLEL_LOAD_MAX)
		return -E2BIG;
	/* A newer libbpf's options are longer than the ones known here. */
	l->opts = malloc(opts->sz);
	if (!l->opts)
		return -ENOMEM;
	memcpy(l->opts, opts, opts->sz);
	l->program = program;
	l->code = *code;
	*code = (struct code){};
	p->n++;
	opts->func_info_cnt = 0;
	opts->line_info_cnt = 0;
	return bpf_program__set_insns(program, returns_0, ARRAY_SIZE(returns_0));
}

static int load(const struct pending_load *l)
{
	int fd = bpf_prog_load(bpf_program__type(l->program), bpf_program__name(l->program),
			       BPF_LICENSE, l->code.insns, l->code.n, l->opts);
	int err;

	if (fd < 0)
		return -errno;
	err = dup3(fd, bpf_program__fd(l->program), O_CLOEXEC) < 0 ? -errno : 0;
	close(fd);
	return err;
}

static void *load_some(void *arg)
{
	struct work *w = arg;
	size_t i;

	while (!atomic_load(&w->err) && (i = atomic_fetch_add(&w->next, 1)) < w->loads->n) {
		int none = 0, err = load(&w->loads->pending[i]);

		if (err)
			atomic_compare_exchange_strong(&w->err, &none, err);
	}
	return NULL;
}

/* The longest first, so that the threads end at about the same time. */
static int compare(const void *a, const void *b)
{
	const struct pending_load *x = a, *y = b;

	return (x->code.n < y->code.n) - (x->code.n > y->code.n);
}

int parallel_load__run(struct parallel_load *p, size_t threads)
{
	struct work work = { .loads = p };
	pthread_t others[THREADS_MAX];
	size_t n = 0;

	qsort(p->pending, p->n, sizeof(*p->pending), compare);
	threads = MIN(threads, MIN(p->n, THREADS_MAX));
	while (n + 1 < threads && !thread__start(&others[n], "load", load_some, &work))
		n++;
	load_some(&work);
	while (n)
		pthread_join(others[--n], NULL);
	return atomic_load(&work.err);
}

void parallel_load__clear(struct parallel_load *p)
{
	while (p->n) {
		struct pending_load *l = &p->pending[--p->n];

		free(l->opts);
		code__clear(&l->code);
	}
}
