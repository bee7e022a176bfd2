// SPDX-License-Identifier: GPL-2.0-or-later
/* The minimum that a recorder on these hooks must do: keep the time of entry for each task, and
 * send one record on exit. It shares no code with iotrc, so the floor does not move when iotrc
 * changes. */
/* bpf_helpers.h uses these types without including anything. */
#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "floor.h"

/* CO-RE takes the actual offsets from the running kernel's BTF. */
struct pt_regs {
#if defined(__TARGET_ARCH_x86)
	unsigned long di, dx, r10;
#define ARG_FD di
#define ARG_SIZE dx
#define ARG_OFFSET r10
#elif defined(__TARGET_ARCH_arm64)
	__u64 regs[31];
	__u64 orig_x0; /* at sys_exit regs[0] already holds the return value */
#define ARG_FD orig_x0
#define ARG_SIZE regs[2]
#define ARG_OFFSET regs[3]
#endif
} __attribute__((preserve_access_index));

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct floor_call);
} started SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, FLOOR_RING);
} ring SEC(".maps");

/* A bit for each system call. */
const volatile __u64 traced[FLOOR_CALLS / 64];
__u64 lost;

SEC("tp_btf/sys_enter")
int BPF_PROG(on_enter, struct pt_regs *regs, long nr)
{
	struct floor_call *call;

	if ((__u64)nr >= FLOOR_CALLS || !(traced[nr / 64] >> (nr % 64) & 1))
		return 0;
	call = bpf_task_storage_get(&started, bpf_get_current_task_btf(), 0,
				    BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!call)
		return 0;
	call->nr = nr;
	call->start_ns = bpf_ktime_get_ns();
	return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(on_exit, struct pt_regs *regs, long ret)
{
	struct floor_call *call = bpf_task_storage_get(&started, bpf_get_current_task_btf(), 0, 0);
	struct floor_record *r;
	__u64 id;

	if (!call || !call->start_ns)
		return 0;
	r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	if (!r) {
		__sync_fetch_and_add(&lost, 1);
		call->start_ns = 0;
		return 0;
	}
	id = bpf_get_current_pid_tgid();
	r->ts_ns = call->start_ns;
	r->duration_ns = bpf_ktime_get_ns() - call->start_ns;
	r->pid = id >> 32;
	r->tid = (__u32)id;
	r->nr = call->nr;
	r->ret = ret;
	r->fd = regs->ARG_FD;
	r->size = regs->ARG_SIZE;
	r->offset = regs->ARG_OFFSET;
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
	call->start_ns = 0;
	return 0;
}

/* Does nothing: the run time that the kernel reports for it is the cost of reading the clock.
 * floor.c chooses the event. */
SEC("?tp_btf/sys_enter")
int on_nothing(void *ctx)
{
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
