// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/bpf/absent_kfuncs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "platform/macros.h"

static bool is_absent(const struct bpf_insn *insn)
{
	return insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg == BPF_PSEUDO_KFUNC_CALL &&
	       !insn->imm;
}

static int drop(struct bpf_program *prog, struct bpf_prog_load_opts *opts, long cookie)
{
	static const struct bpf_insn nothing = { .code = BPF_ALU64 | BPF_MOV | BPF_K,
						 .dst_reg = BPF_REG_0 };
	size_t n = bpf_program__insn_cnt(prog);
	struct bpf_insn *insns = malloc(n * sizeof(*insns));
	int err;

	if (!insns)
		return -ENOMEM;
	memcpy(insns, bpf_program__insns(prog), n * sizeof(*insns));
	for (size_t i = 0; i < n; i++)
		if (is_absent(&insns[i]))
			insns[i] = nothing;
	err = bpf_program__set_insns(prog, insns, n);
	free(insns);
	return err;
}

static int attach(const struct bpf_program *prog, long cookie, struct bpf_link **link)
{
	*link = bpf_program__attach_trace(prog);
	return *link ? 0 : -errno;
}

int absent_kfuncs__drop(void)
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
		{ "perf_event", BPF_PROG_TYPE_PERF_EVENT, 0, NULL },
		{ "raw_tp", BPF_PROG_TYPE_RAW_TRACEPOINT, 0, NULL },
	};
	static size_t registered;

	for (; registered < ARRAY_SIZE(kinds); registered++) {
		LIBBPF_OPTS(libbpf_prog_handler_opts, opts, .prog_prepare_load_fn = drop,
			    .prog_attach_fn = kinds[registered].attach);
		int id = libbpf_register_prog_handler(kinds[registered].section,
						      kinds[registered].type,
						      kinds[registered].attach_type, &opts);

		if (id < 0)
			return id;
	}
	return 0;
}
