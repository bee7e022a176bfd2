// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/bpf/attach_cost.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "engine/bpf/tracepoint.h"
#include "platform/macros.h"

/* getppid() is among the cheapest calls, so that the difference is large. */
#define CALLED "__x64_sys_getppid"
#define CALLS 500 /* of a round */
#define ROUNDS 7

/* Loads a program that returns 0. Returns its descriptor, or a negative errno. */
static int load_empty(enum bpf_prog_type type, enum bpf_attach_type expected)
{
	static const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = expected);

	return bpf_prog_load(type, "iotrc_cost", "GPL", insns, ARRAY_SIZE(insns), &opts);
}

/* Both return the descriptor of a link, or a negative errno. */
static int attach_tracepoint(const char *name)
{
	int prog = load_empty(BPF_PROG_TYPE_TRACEPOINT, 0), event = -1, link = prog;

	if (prog >= 0)
		link = event = tracepoint__open(name);
	if (event >= 0) {
		link = bpf_link_create(prog, event, BPF_PERF_EVENT, NULL);
		close(event);
	}
	if (prog >= 0)
		close(prog);
	return link;
}

static int attach_function(uint32_t flags)
{
	static const char *const names[] = { CALLED };
	LIBBPF_OPTS(bpf_link_create_opts, opts, .kprobe_multi.flags = flags, .kprobe_multi.cnt = 1,
		    .kprobe_multi.syms = (const char **)names);
	int prog = load_empty(BPF_PROG_TYPE_KPROBE, BPF_TRACE_KPROBE_MULTI), link = prog;

	if (prog >= 0) {
		link = bpf_link_create(prog, 0, BPF_TRACE_KPROBE_MULTI, &opts);
		close(prog);
	}
	return link;
}

/* ns that a call takes; the least of the rounds, as others may disturb some of them. */
static uint64_t time_of_call(void)
{
	uint64_t least = UINT64_MAX;

	for (int round = 0; round < ROUNDS; round++) {
		uint64_t begun = clock__mono_ns(), ns;

		for (int i = 0; i < CALLS; i++)
			syscall(SYS_getppid);
		ns = (clock__mono_ns() - begun) / CALLS;
		if (ns < least)
			least = ns;
	}
	return least;
}

/* Sets *RET to what the links ENTRY and RETURNS add to a call that takes BARE ns, and closes them.
 * Returns 0, or the negative errno that one of them is. */
static int added(int entry, int returns, uint64_t bare, uint64_t *ret)
{
	int err = entry < 0 ? entry : returns < 0 ? returns : 0;
	uint64_t ns = err ? 0 : time_of_call();

	*ret = ns > bare ? ns - bare : 0;
	if (entry >= 0)
		close(entry);
	if (returns >= 0)
		close(returns);
	return err;
}

int attach_cost__measure(struct attach_cost *ret)
{
	uint64_t bare = time_of_call();
	int err = added(attach_tracepoint("raw_syscalls/sys_enter"),
			attach_tracepoint("raw_syscalls/sys_exit"), bare, &ret->tracepoints);

	return err ? err :
		     added(attach_function(0), attach_function(BPF_F_KPROBE_MULTI_RETURN), bare,
			   &ret->functions);
}
