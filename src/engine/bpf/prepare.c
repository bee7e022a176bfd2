// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/bpf/prepare.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/abi.h"
#include "engine/bpf/parallel_load.h"
#include "engine/bpf/trim.h"
#include "iotrc.skel.h"
#include "platform/macros.h"

static struct bpf_map *constants; /* NULL: no program is trimmed */
/* The programs that libbpf leaves to several threads; NULL: it loads them itself. */
static struct parallel_load *parallel;

/* What the kernel is told of the program that is being loaded. */
static struct code loading;

static void *copy(const void *from, size_t n, size_t size)
{
	void *ret = calloc(n + 1, size); /* n may be 0 */

	if (!ret)
		return NULL;
	if (n)
		memcpy(ret, from, n * size);
	return ret;
}

static bool is_absent(const struct bpf_insn *insn)
{
	return insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg == BPF_PSEUDO_KFUNC_CALL &&
	       !insn->imm;
}

static void drop_absent(void)
{
	static const struct bpf_insn nothing = { .code = BPF_ALU64 | BPF_MOV | BPF_K,
						 .dst_reg = BPF_REG_0 };

	for (size_t i = 0; i < loading.n; i++)
		if (is_absent(&loading.insns[i]))
			loading.insns[i] = nothing;
}

static int trim(struct bpf_prog_load_opts *opts)
{
	struct constants known = {};
	int err;

	if (!constants || opts->func_info_rec_size != sizeof(*loading.functions) ||
	    opts->line_info_rec_size != sizeof(*loading.lines))
		return 0;
	known.fd = bpf_map__fd(constants);
	known.data = bpf_map__initial_value(constants, &known.size);
	err = known.data ? trim__code(&loading, &known) : 0;
	opts->func_info = loading.functions;
	opts->func_info_cnt = loading.n_functions;
	opts->line_info = loading.lines;
	opts->line_info_cnt = loading.n_lines;
	return err;
}

static int prepare_program(struct bpf_program *prog, struct bpf_prog_load_opts *opts, long cookie)
{
	int err;

	code__clear(&loading);
	loading.n = bpf_program__insn_cnt(prog);
	loading.n_functions = opts->func_info_cnt;
	loading.n_lines = opts->line_info_cnt;
	loading.insns = copy(bpf_program__insns(prog), loading.n, sizeof(*loading.insns));
	loading.functions = copy(opts->func_info, loading.n_functions, sizeof(*loading.functions));
	loading.lines = copy(opts->line_info, loading.n_lines, sizeof(*loading.lines));
	if (!loading.insns || !loading.functions || !loading.lines)
		return -ENOMEM;
	drop_absent();
	err = trim(opts);
	if (err)
		return err;
	return parallel ? parallel_load__add(parallel, prog, opts, &loading) :
			  bpf_program__set_insns(prog, loading.insns, loading.n);
}

static int attach(const struct bpf_program *prog, long cookie, struct bpf_link **link)
{
	*link = bpf_program__attach_trace(prog);
	return *link ? 0 : -errno;
}

int prepare__register(void)
{
	static const struct {
		const char *section;
		enum bpf_prog_type type;
		enum bpf_attach_type attach_type;
		libbpf_prog_attach_fn_t attach;
	} kinds[] = {
		{ "tp_btf+", BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, attach },
		{ "fentry+", BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, attach },
		{ "fexit+", BPF_PROG_TYPE_TRACING, BPF_TRACE_FEXIT, attach },
		{ "iter+", BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER, NULL },
		{ "tp+", BPF_PROG_TYPE_TRACEPOINT, 0, NULL },
		{ "kprobe.multi+", BPF_PROG_TYPE_KPROBE, BPF_TRACE_KPROBE_MULTI, NULL },
		{ "kretprobe.multi+", BPF_PROG_TYPE_KPROBE, BPF_TRACE_KPROBE_MULTI, NULL },
		{ "perf_event", BPF_PROG_TYPE_PERF_EVENT, 0, NULL },
		{ "raw_tp", BPF_PROG_TYPE_RAW_TRACEPOINT, 0, NULL },
	};
	static size_t registered;

	for (; registered < ARRAY_SIZE(kinds); registered++) {
		LIBBPF_OPTS(libbpf_prog_handler_opts, opts, .prog_prepare_load_fn = prepare_program,
			    .prog_attach_fn = kinds[registered].attach);
		int id = libbpf_register_prog_handler(kinds[registered].section,
						      kinds[registered].type,
						      kinds[registered].attach_type, &opts);

		if (id < 0)
			return id;
	}
	return 0;
}

int prepare__load(struct iotrc_bpf *skel, size_t threads)
{
	int err = 0;

	constants = skel->maps.rodata;
	if (threads > 1) {
		parallel = calloc(1, sizeof(*parallel));
		err = parallel ? 0 : -ENOMEM;
	}
	if (!err)
		err = iotrc_bpf__load(skel);
	if (!err && parallel)
		err = parallel_load__run(parallel, threads);
	if (parallel)
		parallel_load__clear(parallel);
	free(parallel);
	parallel = NULL;
	constants = NULL;
	code__clear(&loading);
	malloc_trim(0); /* all of that was freed at once */
	return err;
}
