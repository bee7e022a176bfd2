// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/bpf/collector.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/param.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "engine/bpf/absent_kfuncs.h"
#include "engine/bpf/functions.h"
#include "engine/bpf/syscalls.h"
#include "engine/bpf/tracepoint.h"
#include "iotrc.skel.h"
#include "schema/schema.h"

#define BIT(stream) (1u << (stream))
#define SYSCALL_STREAMS \
	(BIT(STREAM_FS) | BIT(STREAM_NW_CONN) | BIT(STREAM_NW_EPOLL) | BIT(STREAM_NW_SOCKOPT))
#define ALL_CAPTURED (BIT(STREAM_CAPTURED) - 1)

#define MISS_OR_READAHEAD "which of MISS and READAHEAD it is"
#define FAULT_TYPE "fault_type"
#define FS BIT(STREAM_FS)
#define BLOCK BIT(STREAM_BLOCK)
#define CACHE BIT(STREAM_CACHE)
#define PAGEFAULT BIT(STREAM_PAGEFAULT)
#define DROP BIT(STREAM_NW_DROP)
#define CONN BIT(STREAM_NW_CONN)

static bool no_task_storage(const struct collector *c);
static bool exits_wanted(const struct collector *c);
static bool names_requests(const struct collector *c);
static bool nameless_uring(const struct collector *c);
static bool can_overflow(const struct collector *c);
static bool can_skip(const struct collector *c);

/* Which programs serve which streams; a stream that is off loads nothing. NAME says where the program
 * attaches: a tracepoint's or a function's name after the kind. Of the rows with one hook the first
 * that this kernel can have is used. */
static const struct program {
	enum hook hook;
	const char *name, *program;
	uint32_t streams;
	uint8_t args; /* the number it must have; 0: any */
	const char *
		gives; /* of a hook's first row: what is missing without it; NULL: no recording is possible */
	bool (*when)(const struct collector *c); /* where it has a purpose; NULL: everywhere */
						 /* clang-format off */
} programs[] = {
	/* First to be attached: it takes out what the others make. */
	{ HOOK_PROCESS_FREE, "tp_btf/sched_process_free", "on_process_free", ALL_CAPTURED, 0, NULL, no_task_storage },
	{ HOOK_SYS_ENTER, "kprobe.multi/sys_*", "on_sys_enter_function", SYSCALL_STREAMS, 0, NULL },
	{ HOOK_SYS_ENTER, "tp/raw_syscalls/sys_enter", "on_sys_enter_classic", SYSCALL_STREAMS, 0, NULL },
	{ HOOK_SYS_ENTER, "tp_btf/sys_enter", "on_sys_enter", SYSCALL_STREAMS, 0, NULL },
	{ HOOK_SYS_EXIT, "kretprobe.multi/sys_*", "on_sys_exit_function", SYSCALL_STREAMS, 0, NULL },
	{ HOOK_SYS_EXIT, "tp/raw_syscalls/sys_exit", "on_sys_exit_classic", SYSCALL_STREAMS, 0, NULL },
	{ HOOK_SYS_EXIT, "tp_btf/sys_exit", "on_sys_exit", SYSCALL_STREAMS, 0, NULL },
	{ HOOK_PROCESS_FORK, "tp_btf/sched_process_fork", "on_process_fork", ALL_CAPTURED, 0,
	  NULL },
	{ HOOK_PROCESS_EXIT, "tp/sched/sched_process_exit", "on_process_exit_classic", FS, 0, NULL, exits_wanted },
	{ HOOK_PROCESS_EXIT, "tp_btf/sched_process_exit", "on_process_exit_last", FS, 2, NULL, exits_wanted },
	{ HOOK_PROCESS_EXIT, "tp_btf/sched_process_exit", "on_process_exit", FS, 0, NULL, exits_wanted },

	{ HOOK_URING_SUBMIT, "tp/io_uring/io_uring_submit_req", "on_uring_submit_classic", FS | CONN, 0,
	  "IO_URING" },
	{ HOOK_URING_SUBMIT, "tp_btf/io_uring_submit_req", "on_uring_submit_req", FS | CONN, 1, NULL },
	{ HOOK_URING_SUBMIT, "tp_btf/io_uring_submit_sqe", "on_uring_submit_sqe", FS | CONN, 2, NULL },
	{ HOOK_URING_SUBMIT, "tp_btf/io_uring_submit_sqe", "on_uring_submit_old", FS | CONN, 7, NULL },
	{ HOOK_URING_SUBMIT, "tp_btf/io_uring_submit_sqe", "on_uring_submit_opcode", FS | CONN, 5, NULL },
	{ HOOK_URING_REFUSED, "tp/io_uring/io_uring_req_failed", "on_uring_refused_classic", FS | CONN, 0,
	  "IO_URING requests that are refused on submission", names_requests },
	{ HOOK_URING_REFUSED, "tp_btf/io_uring_req_failed", "on_uring_refused", FS | CONN, 3, NULL, names_requests },
	{ HOOK_URING_REFUSED, "tp_btf/io_uring_req_failed", "on_uring_refused_old", FS | CONN, 4, NULL,
	  names_requests },
	{ HOOK_URING_COMPLETE, "tp/io_uring/io_uring_complete", "on_uring_complete_classic", FS | CONN, 0,
	  "IO_URING" },
	{ HOOK_URING_COMPLETE, "tp_btf/io_uring_complete", "on_uring_complete", FS | CONN, 3, NULL, names_requests },
	{ HOOK_URING_COMPLETE, "tp_btf/io_uring_complete", "on_uring_complete_args", FS | CONN, 7, NULL },
	{ HOOK_URING_COMPLETE, "tp_btf/io_uring_complete", "on_uring_complete_args", FS | CONN, 5, NULL },
	{ HOOK_URING_COMPLETE, "tp_btf/io_uring_complete", "on_uring_complete_nameless", FS | CONN, 4, NULL },
	{ HOOK_URING_COMPLETE, "tp_btf/io_uring_complete", "on_uring_complete_result", FS | CONN, 3, NULL,
	  nameless_uring },

	{ HOOK_URING_OVERFLOW, "tp/io_uring/io_uring_cqe_overflow", "on_uring_overflow_classic", FS | CONN, 0,
	  "IO_URING requests whose completion finds the queue full", can_overflow },
	{ HOOK_URING_OVERFLOW, "tp_btf/io_uring_cqe_overflow", "on_uring_overflow", FS | CONN, 0, NULL, can_overflow },

	{ HOOK_URING_FLUSH, "fentry/__io_submit_flush_completions", "on_uring_flush", FS | CONN, 1,
	  "successes of IO_URING requests with IOSQE_CQE_SKIP_SUCCESS (5.17 on)", can_skip },
	{ HOOK_URING_WORK, "fentry/io_req_complete_post", "on_uring_post", FS | CONN, 1,
	  "such successes of the kernel's workers", can_skip },
	{ HOOK_URING_WORK, "fentry/io_req_complete_post", "on_uring_post_result", FS | CONN, 3, NULL, can_skip },
	{ HOOK_URING_WORK, "fentry/io_wq_free_work", "on_uring_work", FS | CONN, 1, NULL, can_skip },

	{ HOOK_SOCK_STATE, "tp_btf/inet_sock_set_state", "on_sock_state", CONN, 3,
	  "CONNECT of non-blocking sockets, when established or refused" },
	{ HOOK_SOCK_STATE_AGAIN, "tp_btf/inet_sock_set_state", "on_sock_state_again", CONN, 3,
	  "now and then such a CONNECT, in an interrupt that comes over the first" },

	{ HOOK_BLOCK_GETRQ, "tp_btf/block_getrq", "on_block_getrq", BLOCK, 1, NULL },
	{ HOOK_BLOCK_GETRQ, "tp_btf/block_getrq", "on_block_getrq_old", BLOCK, 3, NULL },
	{ HOOK_BLOCK_FRONTMERGE, "tp_btf/block_bio_frontmerge", "on_block_frontmerge", BLOCK, 1,
	  NULL },
	{ HOOK_BLOCK_FRONTMERGE, "tp_btf/block_bio_frontmerge", "on_block_frontmerge_old", BLOCK, 3,
	  NULL },
	{ HOOK_BLOCK_INSERT, "tp_btf/block_rq_insert", "on_block_insert", BLOCK, 0, NULL },
	{ HOOK_BLOCK_ISSUE, "tp_btf/block_rq_issue", "on_block_issue", BLOCK, 0, NULL },
	{ HOOK_BLOCK_COMPLETE, "tp_btf/block_rq_complete", "on_block_complete", BLOCK, 3, NULL },
	{ HOOK_BIO_QUEUE, "tp_btf/block_bio_queue", "on_bio_queue", BLOCK, 1, "bio rows" },
	{ HOOK_BIO_QUEUE, "tp_btf/block_bio_queue", "on_bio_queue_old", BLOCK, 2, NULL },
	{ HOOK_BIO_COMPLETE, "tp_btf/block_bio_complete", "on_bio_complete", BLOCK, 2, "bio rows" },

	{ HOOK_CACHE_ADD, "tp_btf/mm_filemap_add_to_page_cache", "on_cache_add", CACHE, 1,
	  "MISS, READAHEAD" },
	{ HOOK_CACHE_DELETE, "tp_btf/mm_filemap_delete_from_page_cache", "on_cache_delete", CACHE, 1,
	  "EVICT, INVALIDATE" },
	{ HOOK_CACHE_SYNC_RA, "tp_btf/page_cache_sync_ra", "on_sync_ra", CACHE, 4,
	  MISS_OR_READAHEAD },
	{ HOOK_CACHE_SYNC_RA, "fentry/page_cache_sync_ra", "on_sync_ra_function", CACHE, 2, NULL },
	{ HOOK_CACHE_SYNC_RA, "fentry/page_cache_sync_ra", "on_sync_ra_function_old", CACHE, 3,
	  NULL },
	{ HOOK_CACHE_ASYNC_RA, "tp_btf/page_cache_async_ra", "on_async_ra", CACHE, 4,
	  MISS_OR_READAHEAD },
	{ HOOK_CACHE_ASYNC_RA, "fentry/page_cache_async_ra", "on_async_ra_function", CACHE, 3,
	  NULL },
	{ HOOK_CACHE_ASYNC_RA, "fentry/page_cache_async_ra", "on_async_ra_function_old", CACHE, 4,
	  NULL },
	{ HOOK_CACHE_RA, "tp_btf/page_cache_ra_unbounded", "on_ra", CACHE, 4, MISS_OR_READAHEAD },
	{ HOOK_CACHE_RA, "fentry/page_cache_ra_unbounded", "on_ra_function", CACHE, 3, NULL },
	{ HOOK_CACHE_RA_ORDER, "tp_btf/page_cache_ra_order", "on_ra_order", CACHE, 3,
	  MISS_OR_READAHEAD },
	{ HOOK_CACHE_RA_ORDER, "fentry/page_cache_ra_order", "on_ra_order_function", CACHE, 0,
	  NULL },
	{ HOOK_CACHE_READ, "tp_btf/mm_filemap_get_pages", "on_cache_read", CACHE, 3,
	  "HIT of reads" },
	{ HOOK_CACHE_READ, "fexit/filemap_read", "on_cache_read_function", CACHE, 3, NULL },
	{ HOOK_CACHE_READ, "fexit/generic_file_buffered_read", "on_cache_read_function_old", CACHE, 3,
	  NULL },
	{ HOOK_CACHE_FAULT, "tp_btf/mm_filemap_fault", "on_cache_fault", CACHE, 2,
	  "HIT of faults" },
	{ HOOK_CACHE_FAULT, "fentry/filemap_fault", "on_cache_fault_function", CACHE, 1, NULL },
	{ HOOK_CACHE_MAP, "tp_btf/mm_filemap_map_pages", "on_cache_map", CACHE, 3,
	  "HIT of fault-around" },
	{ HOOK_CACHE_MAP, "fentry/filemap_map_pages", "on_cache_map_function", CACHE, 3, NULL },
	{ HOOK_CACHE_DIRTY, "tp_btf/writeback_dirty_folio", "on_cache_dirty", CACHE, 2, "DIRTY" },
	{ HOOK_CACHE_DIRTY, "tp_btf/writeback_dirty_page", "on_cache_dirty_page", CACHE, 2, NULL },
	{ HOOK_CACHE_WRITEBACK_START, "tp_btf/block_bio_queue", "on_cache_bio_queue", CACHE, 1,
	  "WRITEBACK_START" },
	{ HOOK_CACHE_WRITEBACK_START, "tp_btf/block_bio_queue", "on_cache_bio_queue_old", CACHE, 2,
	  NULL },
	{ HOOK_CACHE_WRITEBACK_END, "tp_btf/block_rq_complete", "on_cache_rq_complete", CACHE, 3,
	  "WRITEBACK_END" },
	{ HOOK_CACHE_BIO_END, "tp_btf/block_bio_complete", "on_cache_bio_complete", CACHE, 2,
	  "WRITEBACK_END of bios that make no requests" },
	{ HOOK_CACHE_RECLAIM, "tp_btf/mm_vmscan_lru_shrink_inactive", "on_cache_reclaim", CACHE, 6,
	  "RECLAIM" },
	{ HOOK_CACHE_PAGEOUT, "tp_btf/mm_vmscan_reclaim_pages", "on_cache_pageout", CACHE, 4,
	  "RECLAIM by madvise" },

	{ HOOK_FAULT_USER, "tp_btf/page_fault_user", "on_fault_user", PAGEFAULT, 3, FAULT_TYPE },
	{ HOOK_FAULT_KERNEL, "tp_btf/page_fault_kernel", "on_fault_kernel", PAGEFAULT, 3,
	  FAULT_TYPE },
	{ HOOK_FAULT_MAJOR, "perf/page-faults-maj", "on_fault_major", PAGEFAULT, 0, NULL },
	{ HOOK_FAULT_MINOR, "perf/page-faults-min", "on_fault_minor", PAGEFAULT, 0, NULL },

	{ HOOK_SKB_DROP, "tp_btf/kfree_skb", "on_skb_drop_socket", DROP, 4, NULL },
	{ HOOK_SKB_DROP, "tp_btf/kfree_skb", "on_skb_drop_reason", DROP, 3, NULL },
	{ HOOK_SKB_DROP, "tp_btf/kfree_skb", "on_skb_drop", DROP, 2, NULL },
	{ HOOK_TCP_RETRANSMIT, "tp_btf/tcp_retransmit_skb", "on_tcp_retransmit", DROP, 2, NULL },
	{ HOOK_TCP_RETRANSMIT, "tp_btf/tcp_retransmit_skb", "on_tcp_retransmit_tried", DROP, 3, NULL },
	{ HOOK_TCP_SYNACK, "tp_btf/tcp_retransmit_synack", "on_tcp_synack", DROP, 0, NULL },
};
/* clang-format on */
#define N_PROGRAMS (sizeof(programs) / sizeof(*programs))

struct collector {
	struct iotrc_bpf *skel;
	struct ring *definitions;
	struct ring *rings[MAX_CPUS];
	struct lane *lanes[MAX_CPUS];
	size_t n_rings, n_lanes;
	int ring_fds[MAX_CPUS];
	int epoll_fd;
	unsigned int n_cpus;
	struct memory_plan plan;
	uint32_t streams;
	bool process_exit;
	bool init_unseen;
	bool can_overflow,
		can_skip;   /* io_uring's: completions told of elsewhere, and not told of */
	enum attach attach; /* never ATTACH_AUTO */
	bool chosen[N_PROGRAMS], absent[N_PROGRAMS]; /* absent: no row of its hook can be had */
	struct bpf_link **links;
	size_t n_links;
};

static int problem_of(char *problem, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int problem_of(char *problem, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(problem, COLLECTOR_PROBLEM_MAX, format, args);
	va_end(args);
	return err;
}

/* What the kernel refuses, and how to be let: the privileges are what is missing most often. To root EACCES is
 * the verifier's (bpf(2)), whose log says more. */
static int refused(char *problem, int err, const char *what)
{
	if ((err == -EPERM || err == -EACCES) && geteuid())
		return problem_of(problem, err,
				  "%s: not permitted; needs root, or CAP_BPF and CAP_PERFMON: "
				  "run it with sudo",
				  what);
	if (err == -EPERM)
		return problem_of(
			problem, err,
			"%s: the kernel refuses it to root: kernel lockdown, or a container "
			"without CAP_BPF and CAP_PERFMON",
			what);
	return problem_of(problem, err, "%s: %s (-v shows the kernel's log)", what, strerror(-err));
}

static int silent(enum libbpf_print_level level, const char *format, va_list args)
{
	return 0;
}

/* ---- what this kernel can do, from its BTF ---- */

/* The arguments of a tracepoint or function, or NULL. */
static const struct btf_type *prototype(const struct btf *btf, const char *name, uint32_t kind)
{
	int id = btf__find_by_name_kind(btf, name, kind);
	const struct btf_type *t = id < 0 ? NULL : btf__type_by_id(btf, id);

	while (t && (btf_is_typedef(t) || btf_is_ptr(t) || btf_is_func(t)))
		t = btf__type_by_id(btf, t->type);
	return t && btf_is_func_proto(t) ? t : NULL;
}

/* The number of arguments of a function, or -1. */
static int function_args(const struct btf *btf, const char *function)
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

/* The number of a tracepoint's arguments, without its own, which comes first; -1: there is no such one. */
static int tracepoint_args(const struct btf *btf, const char *tracepoint)
{
	const struct btf_type *t = tracepoint_prototype(btf, tracepoint);

	return t ? (int)btf_vlen(t) - 1 : -1;
}

/* Whether its argument N, from 0 on, is a pointer. */
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

/* Since BPF programs may sleep on the tracepoints of system calls (about 7.1) the raw ones are run with
 * preemption on. A thread that is preempted in a program keeps the kernel from running it for
 * any other on that CPU, and what those do is missed (1 call in 10, with more threads than CPUs).
 * Classic tracepoints keep preemption off. */
static bool raw_preemptible(const struct btf *btf)
{
	return has_function(btf, "trace_call_bpf_faultable");
}

/* A patch that kernels of some sandboxes have: while a thread of process 1 runs, no program on a tracepoint
 * is run but those which that process has loaded itself. The kernel counts it nowhere. */
static bool init_unseen(const struct btf *btf)
{
	int id = btf__find_by_name_kind(btf, "bpf_prog_aux", BTF_KIND_STRUCT);
	const struct btf_type *t = id < 0 ? NULL : btf__type_by_id(btf, id);

	for (int i = 0; t && i < btf_vlen(t); i++)
		if (!strcmp(btf__name_by_offset(btf, btf_members(t)[i].name_off), "init_owned"))
			return true;
	return false;
}

/* PREEMPT_RT says so in the kernel's version text. */
static bool preemptible(const struct btf *btf)
{
	struct utsname u;

	return uname(&u) || strstr(u.version, "PREEMPT_RT") || raw_preemptible(btf);
}

/* Of any enum, most of which have no name; -1: there is none. */
static int enumerator(const struct btf *btf, const char *name)
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

static void probe_kernel(struct capture_config *cfg, const struct btf *btf)
{
	int reissue = enumerator(btf, "REQ_F_REISSUE_BIT"),
	    flush_seq = enumerator(btf, "__RQF_FLUSH_SEQ");
	int narrow = enumerator(btf, "IO_RING_F_COMPAT");

	cfg->rdonly_cast = has_function(btf, "bpf_rdonly_cast");
	cfg->task_storage = libbpf_probe_bpf_helper(BPF_PROG_TYPE_RAW_TRACEPOINT,
						    BPF_FUNC_task_storage_get, NULL) > 0 &&
			    libbpf_probe_bpf_map_type(BPF_MAP_TYPE_TASK_STORAGE, NULL) > 0;
	cfg->raw_preemptible = raw_preemptible(btf);
	cfg->exit_says_last = tracepoint_args(btf, "sched_process_exit") == 2;
	cfg->page_size = sysconf(_SC_PAGESIZE);
	/* Before 5.18 its second argument is the program's user_data. */
	cfg->uring_nameless = !tracepoint_points(btf, "io_uring_complete", 1);
	cfg->uring_reissue = reissue < 0 ? 0 : UINT64_C(1) << reissue;
	cfg->uring_narrow = narrow < 0 ? 0 : narrow;
	/* Until 6.11 a macro of include/linux/blk-mq.h. */
	cfg->flush_seq = 1u << (flush_seq < 0 ? 4 : flush_seq);
}

/* Whether programs may attach to functions: not where lockdown or the lack of ftrace forbids it, and
 * only trying tells. */
static bool functions_allowed(const struct btf *btf)
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

/* Our process id as BPF programs see it: in a PID namespace getpid() gives another one, and iotrc would
 * record itself. A program that is run by hand (5.10) runs in its caller. */
static pid_t pid_of_kernel(void)
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

/* Before 6.1 the kernel writes a warning into its log when a program on a classic tracepoint has a table
 * that isn't allocated whole at the start (kernel/bpf/verifier.c, check_map_prog_compatibility); then
 * tables got an allocator that works anywhere. */
static bool classic_warns(const struct btf *btf)
{
	return btf__find_by_name_kind(btf, "bpf_mem_alloc", BTF_KIND_STRUCT) < 0;
}

/* Before 6.14 returns were caught with a store of limited size, and a call that blocks takes one: with
 * enough of them others went unseen (kernel/trace/fprobe.c). Since then each thread has a stack for it. */
static bool functions_exact(const struct btf *btf)
{
#if defined(__x86_64__)
	return btf__find_by_name_kind(btf, "fprobe_hlist", BTF_KIND_STRUCT) >= 0;
#else
	return false;
#endif
}

/* How system calls are hooked from now on. Without tracefs auto takes what is left, and says so. */
static int choose_attach(struct collector *c, enum attach wanted, const struct btf *btf,
			 char *problem)
{
	bool preemptible = c->skel->rodata->cfg.raw_preemptible;
	int classic = tracepoint__id("raw_syscalls/sys_enter");

	if (wanted == ATTACH_RAW && preemptible)
		return problem_of(problem, -EINVAL,
				  "--attach raw: this kernel can preempt programs on raw "
				  "tracepoints, and calls would be missed: use auto");
	if (wanted == ATTACH_CLASSIC && classic_warns(btf))
		return problem_of(problem, -EINVAL,
				  "--attach classic: kernels before 6.1 write warnings about such "
				  "programs into their log: use auto");
	if (wanted == ATTACH_CLASSIC && classic < 0)
		return problem_of(problem, classic,
				  "--attach classic: no tracepoint raw_syscalls/sys_enter: %s",
				  strerror(-classic));
	if (wanted == ATTACH_FUNCTIONS && !functions_exact(btf))
		return problem_of(problem, -EOPNOTSUPP,
				  "--attach functions: only on x86-64, from 6.14 on, with "
				  "CONFIG_FPROBE: use auto");
	if (wanted == ATTACH_AUTO)
		wanted = preemptible && classic >= 0 ? ATTACH_CLASSIC : ATTACH_RAW;
	c->attach = wanted;
	return 0;
}

static bool usable(const struct collector *c, const struct program *p, const struct btf *btf,
		   bool functions)
{
	bool classic = p->hook == HOOK_SYS_ENTER || p->hook == HOOK_SYS_EXIT ?
			       c->attach == ATTACH_CLASSIC :
			       c->skel->rodata->cfg.raw_preemptible;
	const char *target = strchr(p->name, '/') + 1;
	int args;

	if (!strncmp(p->name, "perf/", 5))
		return true;
	if (strstr(p->name, "probe.multi/"))
		return c->attach == ATTACH_FUNCTIONS;
	if (!strncmp(p->name, "tp/", 3))
		return classic && tracepoint__id(p->name + 3) >= 0;
	if (!strncmp(p->name, "tp_btf/", 7))
		args = tracepoint_args(btf, target);
	else
		args = functions ? function_args(btf, target) : -1;
	return args >= 0 && (!p->args || args == p->args);
}

static bool wanted(const struct collector *c, const struct program *p)
{
	return p->streams & c->streams && (!p->when || p->when(c));
}

/* What to load of the table: for each hook that is wanted the first row that can be had. */
static int choose_programs(struct collector *c, const struct btf *btf, char *problem)
{
	bool functions = c->streams & (CACHE | FS | CONN) && functions_allowed(btf),
	     done[HOOK_COUNT] = { false };

	c->can_overflow = tracepoint_args(btf, "io_uring_cqe_overflow") >= 0;
	c->can_skip = enumerator(btf, "REQ_F_CQE_SKIP_BIT") >= 0;
	for (size_t i = 0; i < N_PROGRAMS; i++) {
		const struct program *p = &programs[i];

		c->chosen[i] = wanted(c, p) && !done[p->hook] && usable(c, p, btf, functions);
		done[p->hook] |= c->chosen[i];
	}
	for (size_t i = 0; i < N_PROGRAMS; i++) {
		const struct program *p = &programs[i];

		if (done[p->hook] || !wanted(c, p))
			continue;
		if (!p->gives)
			return problem_of(problem, -ENOENT, "this kernel has no %s", p->name);
		c->absent[i] = done[p->hook] = true;
	}
	for (size_t i = 0; i < N_PROGRAMS; i++)
		if (c->chosen[i] && !strncmp(programs[i].name, "fexit/", 6))
			c->skel->rodata->cfg.reads_whole = true;
	return 0;
}

/* ---- configuration ---- */

static bool op_wanted(const struct selection *want, const struct syscall_desc *d)
{
	if (d->shape == SHAPE_SOCKETCALL)
		return selection__stream(want, STREAM_NW_CONN) ||
		       selection__stream(want, STREAM_NW_SOCKOPT);
	if (!selection__stream(want, d->stream))
		return d->props & PROP_CLOSES && selection__stream(want, STREAM_NW_CONN);
	if (d->stream != STREAM_FS || d->shape == SHAPE_AIO)
		return true;
	return selection__op(want, d->op) ||
	       (d->props & PROP_REMOVEDIR && selection__op(want, FS_RMDIR)) ||
	       (d->props & PROP_CLOSES && selection__stream(want, STREAM_NW_CONN));
}

/* close() serves two streams: with fs off it counts for the other. */
static void choose(const struct selection *want, const struct syscall_desc *from,
		   struct syscall_desc *to)
{
	if (!op_wanted(want, from)) {
		if (selection__stream(want, STREAM_FS))
			to->props = from->props & PROP_NAMES;
		return;
	}
	*to = *from;
	if (!selection__stream(want, to->stream))
		to->stream = STREAM_NW_CONN;
}

static void configure(struct iotrc_bpf *skel, const struct selection *want, const struct btf *btf)
{
	struct capture_config *cfg = &skel->rodata->cfg;

	probe_kernel(cfg, btf);
	cfg->own_pid = pid_of_kernel();
	cfg->scope_all = want->scope_all;
	cfg->close_rows = selection__stream(want, STREAM_FS) && selection__op(want, FS_CLOSE);
	cfg->nw_conn = selection__stream(want, STREAM_NW_CONN);
	cfg->uring_stream = selection__stream(want, STREAM_FS) ? STREAM_FS : STREAM_NW_CONN;
	cfg->n_pids = want->n_pids;
	for (size_t i = 0; i < want->n_pids; i++)
		cfg->pids[i] = want->pids[i];
	cfg->n_commands = want->n_commands;
	for (size_t i = 0; i < want->n_commands; i++)
		memcpy(cfg->commands[i], want->commands[i], COMM_BYTES);
	cfg->cgroup = want->cgroup_id;
	cfg->cache_sample = want->cache_sample;
	for (size_t i = 0; i < MAX_SYSCALLS; i++) {
		choose(want, &syscalls_native[i], &skel->rodata->syscalls[i]);
		choose(want, &syscalls_compat[i], &skel->rodata->syscalls_compat[i]);
	}
	memcpy(skel->rodata->socketcalls, syscalls_of_socketcall,
	       sizeof(skel->rodata->socketcalls));
	for (size_t i = 0; i < MAX_URING_OPS; i++)
		choose(want, &uring_ops[i], &skel->rodata->uring_ops[i]);
}

/* ---- rings ---- */

/* Lanes (bpf/lane.h) need counters that nothing comes between, and stores seen in their order. */
static void plan_lanes(struct collector *c)
{
	struct capture_config *cfg = &c->skel->rodata->cfg;

#ifdef __x86_64__
	if (!cfg->atomic_counters)
		cfg->lane_records = c->plan.lane_bytes / sizeof(struct rec_fs);
#endif
	if (cfg->lane_records)
		bpf_map__set_max_entries(c->skel->maps.lanes, c->n_cpus * cfg->lane_records);
}

static int make_rings(struct collector *c, char *problem)
{
	c->skel->rodata->cfg.ring_bytes = c->plan.ring_bytes;
	plan_lanes(c);
	while (c->n_rings < c->plan.n_rings) {
		int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "events", 0, 0, c->plan.ring_bytes,
					NULL);

		if (fd < 0)
			return refused(problem, fd, "cannot make a BPF ring buffer");
		c->ring_fds[c->n_rings++] = fd;
	}
	return 0;
}

static int map_rings(struct collector *c, char *problem)
{
	const struct capture_config *cfg = &c->skel->rodata->cfg;
	struct epoll_event event = { .events = EPOLLIN };
	int err;

	c->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (c->epoll_fd < 0)
		return problem_of(problem, -errno, "epoll: %s", strerror(errno));
	err = ring__new(&c->definitions, bpf_map__fd(c->skel->maps.definitions),
			c->plan.definitions_bytes);
	for (uint32_t cpu = 0; !err && cpu < c->n_cpus; cpu++)
		err = bpf_map_update_elem(bpf_map__fd(c->skel->maps.rings), &cpu,
					  &c->ring_fds[cpu % c->n_rings], 0);
	for (size_t i = 0; !err && i < c->n_rings; i++) {
		err = ring__new(&c->rings[i], c->ring_fds[i], c->plan.ring_bytes);
		if (!err && epoll_ctl(c->epoll_fd, EPOLL_CTL_ADD, c->ring_fds[i], &event))
			err = -errno;
	}
	for (uint32_t i = 0; !err && cfg->lane_records && i < c->n_cpus; i++) {
		err = lane__new(&c->lanes[i], bpf_map__fd(c->skel->maps.lanes), i,
				cfg->lane_records, &c->skel->bss->slots[i].lane_put,
				&c->skel->bss->slots[i].lane_taken);
		c->n_lanes += !err;
	}
	return err ? problem_of(problem, err, "cannot map the ring buffers: %s", strerror(-err)) :
		     0;
}

/* ---- load and attach ---- */

static struct bpf_program *program_of(struct collector *c, const struct program *p)
{
	return bpf_object__find_program_by_name(c->skel->obj, p->program);
}

/* The program that does what P's is not let do (bpf/pair.h); NULL: it has none, or none is needed here. */
static struct bpf_program *second_of(struct collector *c, const struct program *p)
{
	char name[64];

	snprintf(name, sizeof(name), "%s_second", p->program);
	return c->skel->rodata->cfg.raw_preemptible ?
		       bpf_object__find_program_by_name(c->skel->obj, name) :
		       NULL;
}

/* The kernel's function or raw tracepoint that P is for, or NULL. */
static const char *attach_target(const struct program *p)
{
	static const char *const kinds[] = { "tp_btf/", "fentry/", "fexit/" };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strncmp(p->name, kinds[i], strlen(kinds[i])))
			return p->name + strlen(kinds[i]);
	return NULL;
}

/* PROG, which may be NULL, is to be loaded for P. */
static int want_loaded(struct bpf_program *prog, const struct program *p)
{
	if (!prog)
		return 0;
	bpf_program__set_autoload(prog, true);
	return attach_target(p) ? bpf_program__set_attach_target(prog, 0, attach_target(p)) : 0;
}

static int load(struct collector *c, char *problem)
{
	struct bpf_program *prog;
	int err = 0;

	bpf_object__for_each_program(prog, c->skel->obj) bpf_program__set_autoload(prog, false);
	for (size_t i = 0; i < N_PROGRAMS && !err; i++) {
		if (!c->chosen[i])
			continue;
		err = want_loaded(program_of(c, &programs[i]), &programs[i]);
		if (!err)
			err = want_loaded(second_of(c, &programs[i]), &programs[i]);
	}
	if (err)
		return refused(problem, err, "cannot find what BPF programs attach to");
	bpf_map__set_autocreate(c->skel->maps.task_states, c->skel->rodata->cfg.task_storage);
	bpf_map__set_autocreate(c->skel->maps.words, c->skel->rodata->cfg.raw_preemptible);
	bpf_map__set_autocreate(c->skel->maps.task_states_by_task,
				!c->skel->rodata->cfg.task_storage);
	bpf_map__set_max_entries(c->skel->maps.task_states_by_task, c->plan.threads);
	bpf_map__set_max_entries(c->skel->maps.definitions, c->plan.definitions_bytes);
	bpf_map__set_max_entries(c->skel->maps.paths_sent, c->plan.paths_sent);
	bpf_map__set_max_entries(c->skel->maps.in_flight, c->plan.in_flight);
	bpf_map__set_max_entries(c->skel->maps.connecting, c->plan.in_flight);
	bpf_map__set_max_entries(c->skel->maps.connect_words, c->plan.in_flight);
	bpf_map__set_max_entries(c->skel->maps.uring_flights, c->plan.in_flight);
	bpf_map__set_max_entries(c->skel->maps.uring_conns, c->plan.uring_conns);
	bpf_map__set_max_entries(c->skel->maps.uring_asked, c->plan.uring_asked);
	bpf_map__set_max_entries(c->skel->maps.uring_rowless, c->plan.in_flight);
	err = iotrc_bpf__load(c->skel);
	return err ? refused(problem, err, "cannot load BPF programs") : 0;
}

/* A software event on every CPU that is online, at each occurrence. */
static int attach_perf(struct collector *c, struct bpf_program *prog, uint64_t config)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = config,
		.sample_period = 1,
		.sample_type = PERF_SAMPLE_ADDR,
	};
	int n_cpus = libbpf_num_possible_cpus();

	for (int cpu = 0; cpu < n_cpus; cpu++) {
		int fd = syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
		struct bpf_link *link;

		if (fd < 0 && errno == ENODEV)
			continue;
		if (fd < 0)
			return -errno;
		link = bpf_program__attach_perf_event(prog, fd);
		if (!link) {
			close(fd);
			return -errno;
		}
		c->links[c->n_links++] = link;
	}
	return 0;
}

/* The entries, or the RETURNS, of the system calls that are wanted. */
static struct bpf_link *attach_functions(struct collector *c, struct bpf_program *prog,
					 bool returns)
{
	LIBBPF_OPTS(bpf_kprobe_multi_opts, opts, .retprobe = returns);
	struct bpf_link *link = NULL;
	unsigned long *addrs;
	int err = functions__of_syscalls(
		(const struct syscall_desc *)c->skel->rodata->syscalls,
		(const struct syscall_desc *)c->skel->rodata->syscalls_compat, &addrs, &opts.cnt);

	if (!err) {
		opts.addrs = addrs;
		link = bpf_program__attach_kprobe_multi_opts(prog, NULL, &opts);
		err = link ? 0 : -errno;
		free(addrs);
	}
	errno = -err;
	return link;
}

static int attach_one(struct collector *c, struct bpf_program *prog, const struct program *p)
{
	struct bpf_link *link;

	if (p->hook == HOOK_FAULT_MAJOR)
		return attach_perf(c, prog, PERF_COUNT_SW_PAGE_FAULTS_MAJ);
	if (p->hook == HOOK_FAULT_MINOR)
		return attach_perf(c, prog, PERF_COUNT_SW_PAGE_FAULTS_MIN);
	if (strstr(p->name, "probe.multi/"))
		link = attach_functions(c, prog, p->hook == HOOK_SYS_EXIT);
	else if (!strncmp(p->name, "tp/", 3))
		link = tracepoint__attach(prog, p->name + 3);
	else
		link = bpf_program__attach(prog);
	if (!link)
		return -errno;
	c->links[c->n_links++] = link;
	return 0;
}

/* Beyond 2, a level of distributions' own (Debian, Ubuntu), perf_event_open() takes CAP_SYS_ADMIN. */
static bool perf_is_closed(void)
{
	FILE *file = fopen("/proc/sys/kernel/perf_event_paranoid", "re");
	int level = 0;

	if (file && fscanf(file, "%d", &level) != 1)
		level = 0;
	if (file)
		fclose(file);
	return level > 2;
}

static int attach(struct collector *c, char *problem)
{
	/* Two programs a row at most; a perf event has a link on each CPU. */
	c->links = calloc(2 * N_PROGRAMS + 2 * libbpf_num_possible_cpus(), sizeof(*c->links));
	if (!c->links)
		return problem_of(problem, -ENOMEM, "out of memory");
	for (size_t i = 0; i < N_PROGRAMS; i++) {
		const struct program *p = &programs[i];
		int err = c->chosen[i] ? attach_one(c, program_of(c, p), p) : 0;

		/* After the first, and before another at that tracepoint: programs are run in this order. */
		if (!err && c->chosen[i] && second_of(c, p))
			err = attach_one(c, second_of(c, p), p);
		if (err == -EACCES && perf_is_closed())
			return problem_of(
				problem, err,
				"cannot attach to %s: the kernel leaves it to CAP_SYS_ADMIN: grant it, "
				"or sysctl kernel.perf_event_paranoid=2",
				p->name);
		if (err)
			return problem_of(problem, err, "cannot attach to %s: %s", p->name,
					  strerror(-err));
	}
	return 0;
}

int collector__new(struct collector **ret, const struct selection *want,
		   const struct memory_plan *memory, bool verbose, char *problem)
{
	/* For a type that the kernel hasn't got libbpf looks into its modules, which takes CAP_SYS_ADMIN; not
	 * when it is told where the types are. */
	LIBBPF_OPTS(bpf_object_open_opts, open, .btf_custom_path = "/sys/kernel/btf/vmlinux");
	struct collector *c = calloc(1, sizeof(*c));
	struct btf *btf = NULL;
	int err, n_cpus;

	if (!c)
		return problem_of(problem, -ENOMEM, "out of memory");
	c->epoll_fd = -1;
	c->streams = want->streams;
	if (!verbose)
		libbpf_set_print(silent);
	n_cpus = memory__cpus();
	c->n_cpus = MIN(n_cpus, MAX_CPUS);
	c->plan = *memory;
	c->plan.n_rings = MIN(c->plan.n_rings, c->n_cpus);
	btf = btf__load_vmlinux_btf();
	if (!btf) {
		err = problem_of(
			problem, -errno,
			"this kernel gives no type information at /sys/kernel/btf/vmlinux; "
			"it must be built with CONFIG_DEBUG_INFO_BTF=y");
		goto fail;
	}
	err = absent_kfuncs__drop();
	if (err) {
		problem_of(problem, err, "cannot prepare BPF programs: %s", strerror(-err));
		goto fail;
	}
	c->skel = iotrc_bpf__open_opts(&open);
	if (!c->skel) {
		err = problem_of(problem, -errno, "cannot read the embedded BPF object: %s",
				 strerror(errno));
		goto fail;
	}
	configure(c->skel, want, btf);
	c->skel->rodata->cfg.atomic_counters = n_cpus > MAX_CPUS || preemptible(btf);
	c->process_exit = selection__op(want, FS_PROCESS_EXIT);
	c->init_unseen = init_unseen(btf);
	err = choose_attach(c, want->attach, btf, problem);
	if (!err)
		err = choose_programs(c, btf, problem);
	if (!err)
		err = make_rings(c, problem);
	if (!err)
		err = load(c, problem);
	if (!err)
		err = map_rings(c, problem);
	if (!err)
		err = attach(c, problem);
	if (err)
		goto fail;
	btf__free(btf);
	*ret = c;
	return 0;
fail:
	btf__free(btf);
	collector__free(c);
	return err;
}

void collector__detach(struct collector *c)
{
	while (c->n_links)
		bpf_link__destroy(c->links[--c->n_links]);
}

struct collector *collector__free(struct collector *c)
{
	if (!c)
		return NULL;
	collector__detach(c);
	for (size_t i = 0; i < c->n_rings; i++) {
		ring__free(c->rings[i]);
		close(c->ring_fds[i]);
	}
	for (size_t i = 0; i < c->n_lanes; i++)
		lane__free(c->lanes[i]);
	ring__free(c->definitions);
	if (c->epoll_fd >= 0)
		close(c->epoll_fd);
	iotrc_bpf__destroy(c->skel);
	free(c->links);
	free(c);
	return NULL;
}

struct ring *collector__definitions(struct collector *c)
{
	return c->definitions;
}

size_t collector__n_rings(const struct collector *c)
{
	return c->n_rings;
}

struct ring *collector__ring(struct collector *c, size_t i)
{
	return c->rings[i];
}

size_t collector__n_lanes(const struct collector *c)
{
	return c->n_lanes;
}

struct lane *collector__lane(struct collector *c, size_t i)
{
	return c->lanes[i];
}

int collector__watch(struct collector *c, int fd)
{
	struct epoll_event event = { .events = EPOLLIN };

	return epoll_ctl(c->epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

void collector__wait(struct collector *c, int timeout_ms)
{
	struct epoll_event event;

	epoll_wait(c->epoll_fd, &event, 1, timeout_ms);
}

void collector__raise_epoch(struct collector *c)
{
	c->skel->data->epoch++;
}

void collector__shed(struct collector *c, uint64_t ops)
{
	__atomic_store_n(&c->skel->bss->shed_ops, ops, __ATOMIC_RELAXED);
}

struct cpu_slot *collector__slots(struct collector *c)
{
	return c->skel->bss->slots;
}

unsigned int collector__n_cpus(const struct collector *c)
{
	return c->n_cpus;
}

static uint64_t hook_fired(const struct collector *c, enum hook hook)
{
	uint64_t fired = 0;

	for (unsigned int cpu = 0; cpu < c->n_cpus; cpu++) {
		const struct cpu_slot *slot = &c->skel->bss->slots[cpu];

		fired += slot->fired[hook];
		if (hook == HOOK_SYS_ENTER || hook == HOOK_SYS_EXIT)
			for (int s = 0; s < STREAM_CAPTURED; s++)
				if (SYSCALL_STREAMS & BIT(s))
					fired += slot->streams[s].seen;
	}
	return fired;
}

/* How often the kernel didn't run the program PROG_FD, as it was running on that CPU already (told since
 * 5.12). Not by bpf(): until 5.19 all of that takes privileges, which are gone by now. */
static uint64_t runs_missed(int prog_fd)
{
	unsigned long long n = 0;
	char name[64], line[128];
	FILE *f;

	snprintf(name, sizeof(name), "/proc/self/fdinfo/%d", prog_fd);
	f = fopen(name, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "recursion_misses: %llu", &n) == 1)
			break;
	if (f)
		fclose(f);
	return n;
}

/* The kernel runs no program within itself: one on a tracepoint that an interrupt comes to, or, where
 * programs can be preempted, another thread, while it runs on that CPU. */
static uint64_t times_missed(struct collector *c, const struct program *p)
{
	struct bpf_prog_info info = {};
	uint32_t len = sizeof(info);

	return bpf_obj_get_info_by_fd(bpf_program__fd(program_of(c, p)), &info, &len) ?
		       0 :
		       info.recursion_misses;
}

/* Of the events that the first program of P MISSED, those that its second didn't take either. Both
 * counts may be of different moments while programs run. */
static uint64_t missed_by_both(const struct collector *c, const struct program *p, uint64_t missed)
{
	uint64_t taken = 0;

	for (unsigned int cpu = 0; cpu < c->n_cpus; cpu++)
		taken +=
			__atomic_load_n(&c->skel->bss->slots[cpu].taken[p->hook], __ATOMIC_RELAXED);
	return (int64_t)(missed - taken) > 0 ? missed - taken : 0;
}

size_t collector__hooks(struct collector *c, struct manifest_hook *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < N_PROGRAMS; i++) {
		struct bpf_program *prog = program_of(c, &programs[i]);
		struct manifest_hook *h = &ret[n];

		if (!c->chosen[i] && !c->absent[i])
			continue;
		*h = (struct manifest_hook){
			.name = programs[i].name,
			.streams = programs[i].streams & c->streams,
			.attached = c->chosen[i],
			.gives = c->absent[i] ? programs[i].gives : NULL,
		};
		n++;
		if (c->absent[i])
			continue;
		h->fired = hook_fired(c, programs[i].hook);
		h->missed = missed_by_both(c, &programs[i], runs_missed(bpf_program__fd(prog)));
	}
	return n;
}

#define HOOK(name) (UINT64_C(1) << HOOK_##name)
/* Without one of these a row says less, but is there. */
#define HOOKS_OF_DETAIL \
	(HOOK(PROCESS_FORK) | HOOK(BLOCK_GETRQ) | HOOK(BLOCK_FRONTMERGE) | HOOK(BLOCK_INSERT) | \
	 HOOK(BLOCK_ISSUE) | HOOK(CACHE_SYNC_RA) | HOOK(CACHE_ASYNC_RA) | HOOK(CACHE_RA) | \
	 HOOK(CACHE_RA_ORDER) | HOOK(FAULT_USER) | \
	 HOOK(FAULT_KERNEL) | /* what these miss is counted by miss_quiet() of bpf/uring_lost.h */ \
	 HOOK(URING_FLUSH) | \
	 HOOK(URING_WORK) | /* two programs for one event: what interrupts the one is taken by the other */ \
	 HOOK(SOCK_STATE) | HOOK(SOCK_STATE_AGAIN))

void collector__missed(struct collector *c, uint64_t ret[STREAM_CAPTURED])
{
	_Static_assert(HOOK_COUNT <= 64, "a bit for each hook");

	for (size_t i = 0; i < N_PROGRAMS; i++) {
		const struct program *p = &programs[i];
		uint64_t missed;

		if (!c->chosen[i] || HOOKS_OF_DETAIL >> p->hook & 1)
			continue;
		missed = missed_by_both(c, p, times_missed(c, p));
		for (int s = 0; missed && s < STREAM_CAPTURED; s++)
			if (p->streams & c->streams & BIT(s))
				ret[s] += missed;
	}
}

/* ---- what a kernel lacks ---- */

static bool no_task_storage(const struct collector *c)
{
	return !c->skel->rodata->cfg.task_storage;
}

static bool no_rdonly_cast(const struct collector *c)
{
	return !c->skel->rodata->cfg.rdonly_cast;
}

static bool nameless_uring(const struct collector *c)
{
	return c->skel->rodata->cfg.uring_nameless;
}

static bool names_requests(const struct collector *c)
{
	return !nameless_uring(c);
}

static bool can_overflow(const struct collector *c)
{
	return c->can_overflow;
}

static bool can_skip(const struct collector *c)
{
	return c->can_skip;
}

static bool exits_wanted(const struct collector *c)
{
	return c->process_exit;
}

static bool no_last(const struct collector *c)
{
	return !c->skel->rodata->cfg.exit_says_last;
}

#define PREEMPTED "programs on raw tracepoints can be preempted, and calls be missed: mount tracefs"

static bool preempted(const struct collector *c)
{
	return c->skel->rodata->cfg.raw_preemptible && c->attach == ATTACH_RAW;
}

static bool preempted_others(const struct collector *c)
{
	return c->skel->rodata->cfg.raw_preemptible && c->attach != ATTACH_RAW;
}

static bool unseen_init(const struct collector *c)
{
	return c->init_unseen;
}

static const struct {
	bool (*holds)(const struct collector *c);
	const char *kernels, *text;
	/* clang-format off */
} limits[] = {
	{ no_task_storage, "up to 5.12",
	  "no task storage for tracing programs: what threads are doing is kept in a table, whose size --memory "
	  "sets; what the threads do that find no room there is counted as lost" },
	{ nameless_uring, "up to 5.17",
	  "io_uring completions name no request: where a program gives several requests in flight the same "
	  "user_data, each counts as lost" },
	{ no_rdonly_cast, "up to 6.1",
	  "no bpf_rdonly_cast: each read of kernel memory costs the traced program some 20 ns more" },
	{ no_last, "up to 6.15",
	  "the kernel doesn't say which thread of a process is the last: the first to see none alive tells" },
	{ preempted, "from 7.1 on, without tracefs", PREEMPTED },
	{ preempted_others, "from 7.1 on",
	  "programs on raw tracepoints can be preempted: of block, page cache and sockets two are there for "
	  "each event; what both miss is counted" },
	{ unseen_init, "where `bpf_prog_aux` has `init_owned` (a patch of some sandboxes)",
	  "no program is run while process 1 runs: what it does, and what interrupts do over it, is "
	  "neither seen nor counted" },
};
/* clang-format on */
_Static_assert(sizeof(limits) / sizeof(*limits) <= COLLECTOR_LIMITS_MAX, "there is room for all");

bool collector__serves(enum stream stream)
{
	for (size_t i = 0; i < N_PROGRAMS; i++)
		if (programs[i].hook != HOOK_PROCESS_FORK &&
		    programs[i].hook != HOOK_PROCESS_FREE && programs[i].streams & BIT(stream))
			return true;
	return false;
}

const char *collector__warning(const struct collector *c)
{
	return preempted(c) ? PREEMPTED : NULL;
}

size_t collector__limits(const struct collector *c, const char *ret[COLLECTOR_LIMITS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++)
		if (limits[i].holds(c))
			ret[n++] = limits[i].text;
	return n;
}

pid_t collector__own_pid(const struct collector *c)
{
	return c->skel->rodata->cfg.own_pid;
}

static void print_streams(FILE *out, uint32_t streams)
{
	const char *separator = "";

	if (streams == ALL_CAPTURED) {
		fputs("all", out);
		return;
	}
	for (int s = 0; s < STREAM_CAPTURED; s++)
		if (streams & BIT(s)) {
			fprintf(out, "%s%s", separator, schema_streams[s].key);
			separator = ", ";
		}
}

void collector__print_tables(FILE *out)
{
	fputs("<!-- Made by scripts/gen-docs.c (make docs) from src/engine/bpf/collector.c: don't edit. -->\n"
	      "# Hooks\n\n"
	      "What iotrc attaches to, and what a kernel that hasn't got it can't give. Of the places in one row\n"
	      "the first is used that the running kernel has, with the arguments that are known, as its BTF\n"
	      "tells; places on functions (`fentry`, `fexit`) also take a kernel that lets programs attach to\n"
	      "functions. `iotrc doctor` says all this of the running kernel, and whether each hook fires; the\n"
	      "manifest says it of each session.\n\n"
	      "| places | streams | missing without it |\n|---|---|---|\n",
	      out);
	for (size_t i = 0; i < N_PROGRAMS;) {
		const struct program *p = &programs[i];
		const char *last = "";

		fputs("| ", out);
		for (; i < N_PROGRAMS && programs[i].hook == p->hook; i++)
			if (strcmp(last, programs[i].name)) {
				fprintf(out, "%s`%s`", *last ? ", " : "", programs[i].name);
				last = programs[i].name;
			}
		fputs(" | ", out);
		print_streams(out, p->streams);
		fprintf(out, " | %s |\n", p->gives ?: "all of it: the stream can't be recorded");
	}
	fputs("\n## What else a kernel lacks\n\n| kernels | |\n|---|---|\n", out);
	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++)
		fprintf(out, "| %s | %s |\n", limits[i].kernels, limits[i].text);
}
