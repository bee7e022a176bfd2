// SPDX-License-Identifier: GPL-2.0-or-later
/* Which programs serve which streams; a stream that is off loads none. */
#include <bpf/libbpf.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "engine/bpf/bpf.h"
#include "engine/bpf/kernel.h"
#include "engine/bpf/tracepoint.h"
#include "iotrc.skel.h"
#include "platform/macros.h"
#include "schema/schema.h"

#define MISS_OR_READAHEAD "which of MISS, MISS_WRITE and READAHEAD it is"
#define FAULT_TYPE "fault_type, and of cache HIT of some faults"
#define FS BIT(STREAM_FS)
#define BLOCK BIT(STREAM_BLOCK)
#define CACHE BIT(STREAM_CACHE)
#define PAGEFAULT BIT(STREAM_PAGEFAULT)
#define DROP BIT(STREAM_NW_DROP)
#define CONN BIT(STREAM_NW_CONN)
#define FLOW BIT(STREAM_NW_FLOW)
#define EPOLL BIT(STREAM_NW_EPOLL)
#define EXTENT BIT(STREAM_EXTENT)
#define SOCKETS "UDP and unix sockets"
#define UDP6 "UDP over IPv6"
#define UNIX "unix sockets"
#define OWNERS "who made pages dirty, and when"
#define WHY "why a flusher writes"
#define PATHS_READ \
	"paths as the kernel has read them: those that another thread changes during the call"
#define FILES_FOUND \
	"inodes of files removed or renamed, if not cached or if a path is changed during the call"

static bool names_requests(const struct bpf_engine *b)
{
	return !limits__nameless_uring(b);
}

static bool can_overflow(const struct bpf_engine *b)
{
	return b->can_overflow;
}

static bool can_skip(const struct bpf_engine *b)
{
	return b->can_skip;
}

/* Whether the kernel's tracepoint has the faulting address; mm_filemap_map_pages has not. */
static bool tells_faults(const struct bpf_engine *b)
{
	return b->tells_faults;
}

/* Whether the kernel has no tracepoints for what sockets send and receive (before 6.3). */
static bool counts_by_functions(const struct bpf_engine *b)
{
	return b->counts_by_functions;
}

static bool exits_wanted(const struct bpf_engine *b)
{
	return b->process_exit || b->streams & (FS | CONN | EPOLL);
}

/* Rows with the same hook are alternatives: the first one that this kernel supports is attached.
 *
 * Programs are attached in this order and detached in the reverse order. A program that ends what
 * another one begins comes before it: otherwise the end of what begins between the two would be
 * missed, and the next end of the same thread or request, of something that is not recorded, would
 * be taken for it. */
/* clang-format off */
const struct program programs[] = {
	/* Removes what the others create. */
	{ HOOK_PROCESS_FREE, "tp_btf/sched_process_free", "on_process_free", ALL_CAPTURED, 0, NULL, limits__no_task_storage },
	{ HOOK_SYS_EXIT, "kretprobe.multi/sys_*", "on_sys_exit_function", SYSCALL_STREAMS, 0, NULL },
	{ HOOK_SYS_EXIT, "tp/raw_syscalls/sys_exit", "on_sys_exit_classic", SYSCALL_STREAMS, 0, NULL },
	{ HOOK_SYS_EXIT, "tp_btf/sys_exit", "on_sys_exit", SYSCALL_STREAMS, 0, NULL },
	{ HOOK_SYS_ENTER, "kprobe.multi/sys_*", "on_sys_enter_function", SYSCALL_STREAMS, 0, NULL },
	{ HOOK_SYS_ENTER, "tp/raw_syscalls/sys_enter", "on_sys_enter_classic", SYSCALL_STREAMS, 0, NULL },
	{ HOOK_SYS_ENTER, "tp_btf/sys_enter", "on_sys_enter", SYSCALL_STREAMS, 0, NULL },
	{ HOOK_STOP, "tp_btf/signal_generate", "on_stop", SYSCALL_STREAMS, 5,
	  "calls that a tracer (ptrace) skips" },
	{ HOOK_NAME, "fexit/do_getname", "on_name", FS, 3, PATHS_READ },
	{ HOOK_NAME, "fentry/putname", "on_name_freed", FS, 1, PATHS_READ },
	{ HOOK_UNLINK, "fentry/security_inode_unlink", "on_unlink", FS, 2, FILES_FOUND },
	{ HOOK_RMDIR, "fentry/security_inode_rmdir", "on_rmdir", FS, 2, FILES_FOUND },
	{ HOOK_RENAME, "fentry/security_inode_rename", "on_rename", FS, 5, FILES_FOUND },
	{ HOOK_PROCESS_FORK, "tp_btf/sched_process_fork", "on_process_fork", ALL_CAPTURED, 0,
	  NULL },
	{ HOOK_PROCESS_EXIT, "tp/sched/sched_process_exit", "on_process_exit_classic", FS | CONN | EPOLL, 0, NULL, exits_wanted },
	{ HOOK_PROCESS_EXIT, "raw_tp/sched_process_exit", "on_shared", FS | CONN | EPOLL, 0, NULL, exits_wanted },
	{ HOOK_PROCESS_EXIT, "tp_btf/sched_process_exit", "on_process_exit_last", FS | CONN | EPOLL, 2, NULL, exits_wanted },
	{ HOOK_PROCESS_EXIT, "tp_btf/sched_process_exit", "on_process_exit", FS | CONN | EPOLL, 0, NULL, exits_wanted },

	{ HOOK_SIGNAL, "raw_tp/signal_deliver", "on_shared", FS, 3,
	  "results of kernel AIO that a killed process did not reap" },
	{ HOOK_SIGNAL, "tp_btf/signal_deliver", "on_signal", FS, 3, NULL },

	{ HOOK_URING_COMPLETE, "tp/io_uring/io_uring_complete", "on_uring_complete_classic", FS | CONN, 0,
	  "IO_URING" },
	{ HOOK_URING_COMPLETE, "raw_tp/io_uring_complete", "on_shared", FS | CONN, 0, NULL },
	{ HOOK_URING_COMPLETE, "tp_btf/io_uring_complete", "on_uring_complete", FS | CONN, 3, NULL, names_requests },
	{ HOOK_URING_COMPLETE, "tp_btf/io_uring_complete", "on_uring_complete_args", FS | CONN, 7, NULL },
	{ HOOK_URING_COMPLETE, "tp_btf/io_uring_complete", "on_uring_complete_args", FS | CONN, 5, NULL },
	{ HOOK_URING_COMPLETE, "tp_btf/io_uring_complete", "on_uring_complete_nameless", FS | CONN, 4, NULL },
	{ HOOK_URING_COMPLETE, "tp_btf/io_uring_complete", "on_uring_complete_result", FS | CONN, 3, NULL,
	  limits__nameless_uring },

	{ HOOK_URING_OVERFLOW, "tp/io_uring/io_uring_cqe_overflow", "on_uring_overflow_classic", FS | CONN, 0,
	  "IO_URING requests whose completion finds the queue full", can_overflow },
	{ HOOK_URING_OVERFLOW, "raw_tp/io_uring_cqe_overflow", "on_shared", FS | CONN, 0, NULL, can_overflow },
	{ HOOK_URING_OVERFLOW, "tp_btf/io_uring_cqe_overflow", "on_uring_overflow", FS | CONN, 0, NULL, can_overflow },

	{ HOOK_URING_FLUSH, "fentry/__io_submit_flush_completions", "on_uring_flush", FS | CONN, 1,
	  "successes of IO_URING requests with IOSQE_CQE_SKIP_SUCCESS (5.17 on)", can_skip },
	{ HOOK_URING_WORK, "fentry/io_req_complete_post", "on_uring_post", FS | CONN, 1,
	  "such successes of kernel workers", can_skip },
	{ HOOK_URING_WORK, "fentry/io_req_complete_post", "on_uring_post_result", FS | CONN, 3, NULL, can_skip },
	{ HOOK_URING_WORK, "fentry/io_wq_free_work", "on_uring_work", FS | CONN, 1, NULL, can_skip },

	{ HOOK_URING_SUBMIT, "tp/io_uring/io_uring_submit_req", "on_uring_submit_classic", FS | CONN, 0,
	  "IO_URING" },
	{ HOOK_URING_SUBMIT, "raw_tp/io_uring_submit_req", "on_shared", FS | CONN, 1, NULL },
	{ HOOK_URING_SUBMIT, "tp_btf/io_uring_submit_req", "on_uring_submit_req", FS | CONN, 1, NULL },
	{ HOOK_URING_SUBMIT, "tp_btf/io_uring_submit_sqe", "on_uring_submit_sqe", FS | CONN, 2, NULL },
	{ HOOK_URING_SUBMIT, "tp_btf/io_uring_submit_sqe", "on_uring_submit_old", FS | CONN, 7, NULL },
	{ HOOK_URING_SUBMIT, "tp_btf/io_uring_submit_sqe", "on_uring_submit_opcode", FS | CONN, 5, NULL },
	{ HOOK_URING_REFUSED, "tp/io_uring/io_uring_req_failed", "on_uring_refused_classic", FS | CONN, 0,
	  "IO_URING requests that are refused on submission", names_requests },
	{ HOOK_URING_REFUSED, "raw_tp/io_uring_req_failed", "on_shared", FS | CONN, 3, NULL, names_requests },
	{ HOOK_URING_REFUSED, "tp_btf/io_uring_req_failed", "on_uring_refused", FS | CONN, 3, NULL, names_requests },
	{ HOOK_URING_REFUSED, "tp_btf/io_uring_req_failed", "on_uring_refused_old", FS | CONN, 4, NULL,
	  names_requests },

	{ HOOK_SOCK_STATE, "tp_btf/inet_sock_set_state", "on_sock_state", CONN, 3,
	  "CONNECT of non-blocking sockets, when established or refused" },
	{ HOOK_SOCK_STATE_AGAIN, "tp_btf/inet_sock_set_state", "on_sock_state_again", CONN, 3,
	  "occasionally such a CONNECT, in an interrupt during the first program" },

	/* Before those of the stream block at the same hooks, which forget the request. */
	{ HOOK_CACHE_WRITEBACK_END, "tp_btf/block_rq_complete", "on_cache_rq_complete", CACHE, 3,
	  "WRITEBACK_END" },
	{ HOOK_CACHE_BIO_END, "tp_btf/block_bio_complete", "on_cache_bio_complete", CACHE, 2,
	  "WRITEBACK_END of bios that make no requests" },

	{ HOOK_FLOW_STATE, "tp_btf/inet_sock_set_state", "on_flow_state", FLOW, 3, NULL },
	{ HOOK_FLOW_STATE_AGAIN, "tp_btf/inet_sock_set_state", "on_flow_state_again", FLOW, 3,
	  "occasionally a connection, in an interrupt during the first program" },
	{ HOOK_FLOW_READ, "tp_btf/tcp_rcv_space_adjust", "on_flow_read", FLOW, 1,
	  "processes of accepted connections before these end" },
	{ HOOK_SOCKET_SENT, "tp_btf/sock_send_length", "on_socket_sent", FLOW, 3, SOCKETS },
	{ HOOK_SOCKET_SENT, "fexit/udp_sendmsg", "on_udp_sent", FLOW, 3, NULL },
	{ HOOK_SOCKET_RECEIVED, "tp_btf/sock_recv_length", "on_socket_received", FLOW, 3, SOCKETS },
	{ HOOK_SOCKET_RECEIVED, "fexit/udp_recvmsg", "on_udp_received", FLOW, 5, NULL },
	{ HOOK_SOCKET_RECEIVED, "fexit/udp_recvmsg", "on_udp_received_old", FLOW, 6, NULL },
	{ HOOK_UDP6_SENT, "fexit/udpv6_sendmsg", "on_udp6_sent", FLOW, 3, UDP6, counts_by_functions },
	{ HOOK_UDP6_RECEIVED, "fexit/udpv6_recvmsg", "on_udp6_received", FLOW, 5, UDP6, counts_by_functions },
	{ HOOK_UDP6_RECEIVED, "fexit/udpv6_recvmsg", "on_udp6_received_old", FLOW, 6, NULL, counts_by_functions },
	{ HOOK_UNIX_STREAM_SENT, "fexit/unix_stream_sendmsg", "on_unix_stream_sent", FLOW, 3, UNIX,
	  counts_by_functions },
	{ HOOK_UNIX_STREAM_RECEIVED, "fexit/unix_stream_recvmsg", "on_unix_stream_received", FLOW, 4, UNIX,
	  counts_by_functions },
	{ HOOK_UNIX_DGRAM_SENT, "fexit/unix_dgram_sendmsg", "on_unix_dgram_sent", FLOW, 3, UNIX,
	  counts_by_functions },
	{ HOOK_UNIX_DGRAM_RECEIVED, "fexit/__unix_dgram_recvmsg", "on_unix_dgram_received_sk", FLOW, 4, UNIX,
	  counts_by_functions },
	{ HOOK_UNIX_DGRAM_RECEIVED, "fexit/unix_dgram_recvmsg", "on_unix_dgram_received", FLOW, 4, NULL,
	  counts_by_functions },
	{ HOOK_SOCKET_CLOSE, "fentry/sock_close", "on_socket_close", FLOW, 2,
	  "the moment when a UDP or unix socket ends: it is noticed within a second" },

	{ HOOK_BLOCK_GETRQ, "tp_btf/block_getrq", "on_block_getrq", BLOCK, 1, NULL },
	{ HOOK_BLOCK_GETRQ, "tp_btf/block_getrq", "on_block_getrq_old", BLOCK, 3, NULL },
	{ HOOK_BLOCK_FRONTMERGE, "tp_btf/block_bio_frontmerge", "on_block_frontmerge", BLOCK, 1,
	  NULL },
	{ HOOK_BLOCK_FRONTMERGE, "tp_btf/block_bio_frontmerge", "on_block_frontmerge_old", BLOCK, 3,
	  NULL },
	{ HOOK_BLOCK_INSERT, "tp_btf/block_rq_insert", "on_block_insert", BLOCK, 0, NULL },
	{ HOOK_BLOCK_ISSUE, "tp_btf/block_rq_issue", "on_block_issue", BLOCK, 0, NULL },
	{ HOOK_BLOCK_COMPLETE, "tp_btf/block_rq_complete", "on_block_complete", BLOCK, 3, NULL },
	{ HOOK_BIO_COMPLETE, "tp_btf/block_bio_complete", "on_bio_complete", BLOCK, 2, "bio rows" },
	{ HOOK_BIO_QUEUE, "tp_btf/block_bio_queue", "on_bio_queue", BLOCK, 1, "bio rows" },
	{ HOOK_BIO_QUEUE, "tp_btf/block_bio_queue", "on_bio_queue_old", BLOCK, 2, NULL },

	{ HOOK_EXTENT_LIMIT, "fentry/__blk_throtl_bio", "on_extent_limit", EXTENT, 1,
	  "who submitted what a limit (io.max) has held back" },
	{ HOOK_EXTENT_LIMIT, "fentry/blk_throtl_bio", "on_extent_limit_old", EXTENT, 1, NULL },
	/* Right after those of the stream block: fewer requests begin in between. */
	{ HOOK_EXTENT_BIO, "tp_btf/block_bio_queue", "on_extent_bio", EXTENT, 1, NULL },
	{ HOOK_EXTENT_BIO, "tp_btf/block_bio_queue", "on_extent_bio_old", EXTENT, 2, NULL },
	{ HOOK_EXTENT_ISSUE, "tp_btf/block_rq_issue", "on_extent_issue", EXTENT, 0, NULL },
	{ HOOK_EXTENT_DIRTY, "tp_btf/writeback_dirty_folio", "on_extent_dirty", EXTENT, 2, OWNERS },
	{ HOOK_EXTENT_DIRTY, "tp_btf/writeback_dirty_page", "on_extent_dirty_page", EXTENT, 2, NULL },
	{ HOOK_EXTENT_WORK, "tp_btf/writeback_queue", "on_extent_work", EXTENT, 2, "cause unmount" },
	{ HOOK_EXTENT_WORK_END, "tp_btf/writeback_written", "on_extent_work_end", EXTENT, 2, WHY },
	{ HOOK_EXTENT_WORK_BEGIN, "tp_btf/writeback_start", "on_extent_work_begin", EXTENT, 2, WHY },

	{ HOOK_CACHE_ADD, "tp_btf/mm_filemap_add_to_page_cache", "on_cache_add", CACHE, 1,
	  "MISS, MISS_WRITE, READAHEAD" },
	{ HOOK_CACHE_DELETE, "tp_btf/mm_filemap_delete_from_page_cache", "on_cache_delete", CACHE, 1,
	  "EVICT, INVALIDATE" },
	{ HOOK_CACHE_SYNC_RA, "tp_btf/page_cache_sync_ra", "on_sync_ra", CACHE | EXTENT, 4,
	  MISS_OR_READAHEAD },
	{ HOOK_CACHE_SYNC_RA, "fentry/page_cache_sync_ra", "on_sync_ra_function", CACHE | EXTENT, 2, NULL },
	{ HOOK_CACHE_SYNC_RA, "fentry/page_cache_sync_ra", "on_sync_ra_function_old", CACHE | EXTENT, 3,
	  NULL },
	{ HOOK_CACHE_ASYNC_RA, "tp_btf/page_cache_async_ra", "on_async_ra", CACHE | EXTENT, 4,
	  MISS_OR_READAHEAD },
	{ HOOK_CACHE_ASYNC_RA, "fentry/page_cache_async_ra", "on_async_ra_function", CACHE | EXTENT, 3,
	  NULL },
	{ HOOK_CACHE_ASYNC_RA, "fentry/page_cache_async_ra", "on_async_ra_function_old", CACHE | EXTENT, 4,
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
	{ HOOK_CACHE_FAULT, "tp_btf/mm_filemap_fault", "on_cache_fault", CACHE | EXTENT, 2,
	  "HIT of faults" },
	{ HOOK_CACHE_FAULT, "fentry/filemap_fault", "on_cache_fault_function", CACHE | EXTENT, 1, NULL },
	{ HOOK_CACHE_MAP, "tp_btf/mm_filemap_map_pages", "on_cache_map", CACHE, 3,
	  "HIT of faults that also map surrounding pages", tells_faults },
	{ HOOK_CACHE_MAP, "fentry/filemap_map_pages", "on_cache_map_function", CACHE, 3,
	  "HIT of faults that also map surrounding pages" },
	{ HOOK_CACHE_DIRTY, "tp_btf/writeback_dirty_folio", "on_cache_dirty", CACHE, 2, "DIRTY" },
	{ HOOK_CACHE_DIRTY, "tp_btf/writeback_dirty_page", "on_cache_dirty_page", CACHE, 2, NULL },
	{ HOOK_CACHE_WRITEBACK_START, "tp_btf/block_bio_queue", "on_cache_bio_queue", CACHE, 1,
	  "WRITEBACK_START" },
	{ HOOK_CACHE_WRITEBACK_START, "tp_btf/block_bio_queue", "on_cache_bio_queue_old", CACHE, 2,
	  NULL },
	{ HOOK_CACHE_RECLAIM, "tp_btf/mm_vmscan_lru_shrink_inactive", "on_cache_reclaim", CACHE, 6,
	  "RECLAIM" },
	{ HOOK_CACHE_PAGEOUT, "tp_btf/mm_vmscan_reclaim_pages", "on_cache_pageout", CACHE, 4,
	  "RECLAIM by madvise" },

	{ HOOK_FAULT_USER, "tp_btf/page_fault_user", "on_fault_user", PAGEFAULT | CACHE, 3, FAULT_TYPE },
	{ HOOK_FAULT_KERNEL, "tp_btf/page_fault_kernel", "on_fault_kernel", PAGEFAULT | CACHE, 3,
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
const size_t n_programs = ARRAY_SIZE(programs);
_Static_assert(ARRAY_SIZE(programs) <= PROGRAMS_MAX, "chosen and absent have room");

/* For kernels whose raw tracepoints cannot be used. At the same cost of a recorded call functions
 * are better, since other calls do not pass their hooks. */
static enum attach cheapest(struct bpf_engine *b, const struct btf *btf)
{
	struct attach_cost cost;
	bool functions;

	if (!(b->streams & SYSCALL_STREAMS) || !kernel__functions_exact(btf) ||
	    attach_cost__measure(&cost))
		return ATTACH_CLASSIC;
	functions = cost.functions <= cost.tracepoints;
	b->attach_measured = true;
	snprintf(b->attach_text, sizeof(b->attach_text),
		 "system calls are hooked by %s: tracepoints add %" PRIu64
		 " ns to every call, functions %" PRIu64 " ns to a recorded one",
		 functions ? "functions" : "classic tracepoints", cost.tracepoints, cost.functions);
	return functions ? ATTACH_FUNCTIONS : ATTACH_CLASSIC;
}

/* Without tracefs, auto uses the remaining way and reports it. */
int programs__choose_attach(struct bpf_engine *b, enum attach wanted, const struct btf *btf,
			    char *problem)
{
	bool preemptible = b->skel->rodata->cfg.raw_preemptible;
	int classic = tracepoint__id("raw_syscalls/sys_enter");

	if (wanted == ATTACH_RAW && preemptible)
		return engine__problem(problem, -EINVAL,
				       "--attach raw: this kernel can preempt programs on raw "
				       "tracepoints, and calls would be missed: use auto");
	if (wanted == ATTACH_CLASSIC && kernel__classic_warns(btf))
		return engine__problem(
			problem, -EINVAL,
			"--attach classic: kernels before 6.1 write warnings about such "
			"programs into their log: use auto");
	if (wanted == ATTACH_CLASSIC && classic < 0)
		return engine__problem(problem, classic,
				       "--attach classic: no tracepoint raw_syscalls/sys_enter: %s",
				       strerror(-classic));
	if (wanted == ATTACH_FUNCTIONS && !kernel__functions_exact(btf))
		return engine__problem(problem, -EOPNOTSUPP,
				       "--attach functions: only on x86-64, from 6.14 on, with "
				       "CONFIG_FPROBE: use auto");
	if (wanted == ATTACH_AUTO)
		wanted = preemptible && classic >= 0 ? cheapest(b, btf) : ATTACH_RAW;
	b->attach = wanted;
	return 0;
}

static bool usable(const struct bpf_engine *b, const struct program *p, const struct btf *btf,
		   bool functions)
{
	bool classic = p->hook == HOOK_SYS_ENTER || p->hook == HOOK_SYS_EXIT ?
			       b->attach == ATTACH_CLASSIC :
			       b->skel->rodata->cfg.raw_preemptible;
	const char *target = strchr(p->name, '/') + 1;
	int args;

	if (!strncmp(p->name, "perf/", 5))
		return true;
	if (strstr(p->name, "probe.multi/"))
		return b->attach == ATTACH_FUNCTIONS;
	if (!strncmp(p->name, "tp/", 3))
		return classic && tracepoint__id(p->name + 3) >= 0;
	if (!strncmp(p->name, "raw_tp/", 7) && !b->shares)
		return false;
	if (!strncmp(p->name, "tp_btf/", 7) || !strncmp(p->name, "raw_tp/", 7))
		args = kernel__tracepoint_args(btf, target);
	else
		args = functions ? kernel__function_args(btf, target) : -1;
	return args >= 0 && (!p->args || args == p->args);
}

static bool wants_program(const struct bpf_engine *b, const struct program *p)
{
	return p->streams & b->streams && (!p->when || p->when(b));
}

int programs__choose(struct bpf_engine *b, const struct btf *btf, char *problem)
{
	bool functions = b->streams & (CACHE | FS | CONN | FLOW | EXTENT) &&
			 kernel__functions_allowed(btf),
	     done[HOOK_COUNT] = { false };

	b->can_overflow = kernel__tracepoint_args(btf, "io_uring_cqe_overflow") >= 0;
	b->can_skip = kernel__enumerator(btf, "REQ_F_CQE_SKIP_BIT") >= 0;
	b->shares = kernel__raw_cookies(btf) && !b->skel->rodata->cfg.raw_preemptible;
	b->tells_faults = kernel__tracepoint_args(btf, "page_fault_user") >= 0;
	b->counts_by_functions = kernel__tracepoint_args(btf, "sock_send_length") < 0;
	for (size_t i = 0; i < n_programs; i++) {
		const struct program *p = &programs[i];

		b->chosen[i] =
			wants_program(b, p) && !done[p->hook] && usable(b, p, btf, functions);
		done[p->hook] |= b->chosen[i];
	}
	for (size_t i = 0; i < n_programs; i++) {
		const struct program *p = &programs[i];

		if (done[p->hook] || !wants_program(b, p))
			continue;
		if (!p->gives)
			return engine__problem(problem, -ENOENT,
					       "this kernel has no %s, or one with arguments that "
					       "iotrc does not know",
					       p->name);
		b->absent[i] = done[p->hook] = true;
	}
	for (size_t i = 0; i < n_programs; i++) {
		if (b->chosen[i] && programs[i].hook == HOOK_CACHE_READ &&
		    !strncmp(programs[i].name, "fexit/", 6))
			b->skel->rodata->cfg.reads_whole = true;
		if (b->chosen[i] && programs[i].hook == HOOK_CACHE_SYNC_RA)
			b->skel->rodata->cfg.tells_reads = true;
	}
	return 0;
}

struct bpf_program *programs__first(const struct bpf_engine *b, const struct program *p)
{
	return bpf_object__find_program_by_name(b->skel->obj, p->program);
}

struct bpf_program *programs__second(const struct bpf_engine *b, const struct program *p)
{
	char name[64];

	snprintf(name, sizeof(name), "%s_second", p->program);
	return b->skel->rodata->cfg.raw_preemptible ?
		       bpf_object__find_program_by_name(b->skel->obj, name) :
		       NULL;
}

bool programs__serve(enum stream stream)
{
	for (size_t i = 0; i < n_programs; i++)
		if (programs[i].hook != HOOK_PROCESS_FORK &&
		    programs[i].hook != HOOK_PROCESS_FREE && programs[i].streams & BIT(stream))
			return true;
	return false;
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

void programs__print(FILE *out)
{
	fputs("<!-- Made by scripts/gen-docs.c (make docs) from src/engine/bpf/programs.c: don't edit. -->\n"
	      "# Hooks\n\n"
	      "The hooks that iotrc attaches to, and what is missing if a kernel lacks them. Hooks in the same row\n"
	      "are alternatives: the first one that the running kernel has, with the expected arguments according\n"
	      "to its BTF, is used. Hooks on functions (`fentry`, `fexit`) also need a kernel that lets programs\n"
	      "attach to functions. `iotrc doctor` lists the hooks of the running kernel and whether each one\n"
	      "fires; the manifest lists those of each session.\n\n"
	      "| hooks | streams | missing without it |\n|---|---|---|\n",
	      out);
	for (size_t i = 0; i < n_programs;) {
		const struct program *p = &programs[i];
		const char *last = "";

		fputs("| ", out);
		for (; i < n_programs && programs[i].hook == p->hook; i++)
			if (strcmp(last, programs[i].name)) {
				fprintf(out, "%s`%s`", *last ? ", " : "", programs[i].name);
				last = programs[i].name;
			}
		fputs(" | ", out);
		print_streams(out, p->streams);
		fprintf(out, " | %s |\n", p->gives ?: "everything: the stream cannot be recorded");
	}
	fputs("\n## Other features that kernels lack\n\n| kernels | |\n|---|---|\n", out);
	limits__print(out);
}
