// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Page faults in mappings of files. The software events page-faults-maj and page-faults-min fire
 * when a fault is done, where the kernel counts it (mm_account_fault() of mm/memory.c, since 5.9),
 * and give the address. Only the entry knows whether it was a read or a write. */
#include "bpf/abi.h"
#include "bpf/cfg.h"
#include "bpf/context.h"
#include "bpf/counters.h"
#include "bpf/file.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/results.h"
#include "bpf/rings.h"
#include "bpf/task_state.h"
#include "bpf/vma.h"
#include "schema/records.h"
#include "schema/streams.h"

/* struct bpf_perf_event_data of include/uapi/linux/bpf_perf_event.h, without its registers, which
 * would need another struct pt_regs. */
struct fault_event {
#if defined(__TARGET_ARCH_x86)
	u64 registers[21];
#else
	u64 registers[34];
#endif
	u64 sample_period, address;
};

#define FAULT_CODE_WRITE 2 /* arch/x86/include/asm/trap_pf.h: X86_PF_WRITE */

static __always_inline int entered(u64 address, u64 code)
{
	struct task_state *state = current_state(true);

	if (!state)
		return 0;
	state->fault_address = address;
	state->demand.reported_inode = 0;
	state->fault_access = code & FAULT_CODE_WRITE ? FAULT_WRITE : FAULT_READ;
	return 0;
}

SEC("tp_btf/page_fault_user")
int BPF_PROG(on_fault_user, unsigned long address, struct pt_regs *regs, unsigned long code)
{
	count_fired(HOOK_FAULT_USER);
	return entered(address, code);
}

SEC("tp_btf/page_fault_kernel")
int BPF_PROG(on_fault_kernel, unsigned long address, struct pt_regs *regs, unsigned long code)
{
	count_fired(HOOK_FAULT_KERNEL);
	return entered(address, code);
}

static __always_inline int faulted(u64 address, bool major)
{
	u64 vma = mapped_area(address), file = vma ? kread(vma, vm_area_struct, vm_file) : 0;
	u64 inode, now = bpf_ktime_get_ns(), task, flags;
	struct task_state *state;
	struct rec_fault *rec;

	if (!file || !keep_owned(STREAM_PAGEFAULT, &task))
		return 0;
	state = current_state(false);
	if (leave_out_instant(STREAM_PAGEFAULT))
		return 0;
	rec = reserve(STREAM_PAGEFAULT, sizeof(*rec), now, &flags);
	if (!rec)
		return 0;
	/* For a file on overlayfs the file of the layer is mapped: take the one that other rows
	 * name. */
	inode = kread(kread(file_path_at(file), path, dentry), dentry, d_inode);
	rec->type = REC_FAULT;
	rec->access =
		state && state->fault_address == address ? state->fault_access : FAULT_UNKNOWN;
	rec->major = major;
	rec->pad = 0;
	rec->dev = kread(kread(inode, inode, i_sb), super_block, s_dev);
	rec->ns = now;
	rec->task = task;
	rec->ino = kread(inode, inode, i_ino);
	rec->page = page_in_area(vma, address);
	rec->address = address;
	deliver(rec, flags);
	return 0;
}

SEC("perf_event")
int on_fault_major(struct fault_event *event)
{
	count_fired(HOOK_FAULT_MAJOR);
	return faulted(event->address, true);
}

SEC("perf_event")
int on_fault_minor(struct fault_event *event)
{
	count_fired(HOOK_FAULT_MINOR);
	return faulted(event->address, false);
}
