// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/bpf/kernel.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* Returns the arguments of a tracepoint or function, or NULL. */
static const struct btf_type *prototype(const struct btf *btf, const char *name, uint32_t kind)
{
	int id = btf__find_by_name_kind(btf, name, kind);
	const struct btf_type *t = id < 0 ? NULL : btf__type_by_id(btf, id);

	while (t && (btf_is_typedef(t) || btf_is_ptr(t) || btf_is_func(t)))
		t = btf__type_by_id(btf, t->type);
	return t && btf_is_func_proto(t) ? t : NULL;
}

/* Returns the number of arguments of a function, or -1. */
int kernel__function_args(const struct btf *btf, const char *function)
{
	const struct btf_type *t = prototype(btf, function, BTF_KIND_FUNC);

	return t ? btf_vlen(t) : -1;
}

static const struct btf_type *tracepoint_prototype(const struct btf *btf, const char *tracepoint)
{
	char name[128];

	snprintf(name, sizeof(name), "btf_trace_%s", tracepoint);
	return prototype(btf, name, BTF_KIND_TYPEDEF);
}

/* Returns the number of a tracepoint's arguments, without the first one, which is its own; -1:
 * there is no such tracepoint. */
int kernel__tracepoint_args(const struct btf *btf, const char *tracepoint)
{
	const struct btf_type *t = tracepoint_prototype(btf, tracepoint);

	return t ? (int)btf_vlen(t) - 1 : -1;
}

/* Whether its argument N, counted from 0, is a pointer. */
static bool tracepoint_points(const struct btf *btf, const char *tracepoint, uint32_t n)
{
	const struct btf_type *t = tracepoint_prototype(btf, tracepoint);

	return t && n + 1 < btf_vlen(t) &&
	       btf_is_ptr(btf__type_by_id(btf, btf_params(t)[n + 1].type));
}

static bool has_function(const struct btf *btf, const char *name)
{
	return btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) >= 0;
}

/* Since BPF programs may sleep on the tracepoints of system calls (about 7.1), raw ones run with
 * preemption enabled. While a thread is preempted in a program, the kernel does not run that
 * program for other threads on that CPU, and their calls are missed (1 call in 10, with more
 * threads than CPUs). Classic tracepoints disable preemption. */
static bool raw_preemptible(const struct btf *btf)
{
	return has_function(btf, "trace_call_bpf_faultable");
}

static bool has_field(const struct btf *btf, const char *type, const char *field)
{
	int id = btf__find_by_name_kind(btf, type, BTF_KIND_STRUCT);
	const struct btf_type *t = id < 0 ? NULL : btf__type_by_id(btf, id);

	for (int i = 0; t && i < btf_vlen(t); i++)
		if (!strcmp(btf__name_by_offset(btf, btf_members(t)[i].name_off), field))
			return true;
	return false;
}

/* The kernels of some sandboxes are patched so that while a thread of process 1 runs, only programs
 * that process 1 has loaded run on tracepoints. The kernel does not count the events missed. */
bool kernel__init_unseen(const struct btf *btf)
{
	return has_field(btf, "bpf_prog_aux", "init_owned");
}

/* The kernel's version text contains PREEMPT_RT. */
bool kernel__preemptible(const struct btf *btf)
{
	struct utsname u;

	return uname(&u) || strstr(u.version, "PREEMPT_RT") || raw_preemptible(btf);
}

/* Searches all enums, most of which have no name; -1: there is none. */
int kernel__enumerator(const struct btf *btf, const char *name)
{
	for (uint32_t id = 1; id < btf__type_cnt(btf); id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);
		const struct btf_enum *e = btf_enum(t);

		for (uint32_t i = 0; btf_is_enum(t) && i < btf_vlen(t); i++)
			if (!strcmp(btf__name_by_offset(btf, e[i].name_off), name))
				return e[i].val;
	}
	return -1;
}

/* Since 5.19 the sysctl kernel.unprivileged_bpf_disabled applies only to maps and programs
 * (__sys_bpf()). This helper was added in the same version. */
bool kernel__iterators_free(const struct btf *btf)
{
	return kernel__enumerator(btf, "BPF_FUNC_map_lookup_percpu_elem") >= 0;
}

/* Since 6.10 a raw tracepoint keeps a number for the program. */
bool kernel__raw_cookies(const struct btf *btf)
{
	return has_field(btf, "bpf_raw_tp_link", "cookie");
}

bool kernel__from_6_2(const struct btf *btf)
{
	return has_function(btf, "bpf_rdonly_cast");
}

void kernel__probe(struct capture_config *cfg, const struct btf *btf)
{
	int reissue = kernel__enumerator(btf, "REQ_F_REISSUE_BIT"),
	    flush_seq = kernel__enumerator(btf, "__RQF_FLUSH_SEQ");
	int narrow = kernel__enumerator(btf, "IO_RING_F_COMPAT");
	int mounted = kernel__enumerator(btf, "DCACHE_MOUNTED");

	cfg->task_storage = kernel__from_6_2(btf) ||
			    (libbpf_probe_bpf_helper(BPF_PROG_TYPE_RAW_TRACEPOINT,
						     BPF_FUNC_task_storage_get, NULL) > 0 &&
			     libbpf_probe_bpf_map_type(BPF_MAP_TYPE_TASK_STORAGE, NULL) > 0);
	cfg->raw_preemptible = raw_preemptible(btf);
	cfg->exit_says_last = kernel__tracepoint_args(btf, "sched_process_exit") == 2;
	cfg->page_shift = __builtin_ctzl(sysconf(_SC_PAGESIZE));
	/* The prototype of iomap_dio_bio_iter() is as before; this function was added with the
	 * change. */
	cfg->dio_counts_late = has_function(btf, "bio_iov_iter_bounce");
	/* Before 5.18 its second argument is the program's user_data. */
	cfg->uring_nameless = !tracepoint_points(btf, "io_uring_complete", 1);
	cfg->uring_cqe = kernel__tracepoint_args(btf, "io_uring_complete") == 3;
	cfg->uring_reissue = reissue < 0 ? 0 : UINT64_C(1) << reissue;
	cfg->uring_narrow = narrow < 0 ? 0 : narrow;
	/* Until 6.13 a macro of include/linux/dcache.h. */
	cfg->dcache_mounted = mounted < 0 ? 0x10000 : mounted;
	/* Until 6.11 a macro of include/linux/blk-mq.h. */
	cfg->flush_seq = 1u << (flush_seq < 0 ? 4 : flush_seq);
}

/* Tries to attach a program to a function: lockdown or a kernel without ftrace prevents it, and
 * there is no other way to find out. */
bool kernel__functions_allowed(const struct btf *btf)
{
	static const struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_FENTRY,
		    .attach_btf_id = btf__find_by_name_kind(btf, "filemap_fault", BTF_KIND_FUNC));
	int prog = bpf_prog_load(BPF_PROG_TYPE_TRACING, "probe", "GPL", nothing, 2, &opts);
	int link = prog < 0 ? -1 : bpf_raw_tracepoint_open(NULL, prog);

	if (link >= 0)
		close(link);
	if (prog >= 0)
		close(prog);
	return link >= 0;
}

/* Our process id as BPF programs see it: in a PID namespace getpid() differs, and iotrc would
 * record itself. BPF_PROG_TEST_RUN (5.10) runs the program in its caller. */
pid_t kernel__own_pid(void)
{
	static const struct bpf_insn tgid[] = {
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_get_current_pid_tgid },
		{ .code = BPF_ALU64 | BPF_RSH | BPF_K, .dst_reg = BPF_REG_0, .imm = 32 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_test_run_opts, run);
	int prog = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "own_pid", "GPL", tgid, 3, NULL);
	int err = prog < 0 ? prog : bpf_prog_test_run_opts(prog, &run);

	if (prog >= 0)
		close(prog);
	return err ? getpid() : (pid_t)run.retval;
}

/* Before 6.1 the kernel logs a warning if a program on a classic tracepoint uses a map that is not
 * preallocated (kernel/bpf/verifier.c, check_map_prog_compatibility); since then maps have an
 * allocator that works in any context. */
bool kernel__classic_warns(const struct btf *btf)
{
	return btf__find_by_name_kind(btf, "bpf_mem_alloc", BTF_KIND_STRUCT) < 0;
}

/* Before 6.14, function returns were hooked with a pool of limited size, of which a blocked call
 * holds an entry; when it was exhausted, other calls were missed (kernel/trace/fprobe.c). Since
 * then each thread has a stack for this. */
bool kernel__functions_exact(const struct btf *btf)
{
#if defined(__x86_64__)
	return btf__find_by_name_kind(btf, "fprobe_hlist", BTF_KIND_STRUCT) >= 0;
#else
	return false;
#endif
}
