// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A tracer (ptrace) is told of a call before it begins, and may then put -1 in place of its number:
 * the kernel skips the call, and nothing says later which one it was. So the number is noted when
 * the thread stops: it sends its tracer SIGCHLD, before that can do anything (ptrace_stop() of
 * kernel/signal.c). A tracer that ignores SIGCHLD gets none; its skipped calls stay unknown. */
#include "bpf/abi.h"
#include "bpf/counters.h"
#include "bpf/current.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/pair.h"
#include "bpf/syscall_number.h"
#include "bpf/task_state.h"

#define SIGTRAP 5
#define SIGCHLD 17
#define PTRACE_EVENT_SECCOMP 7
#define PTRACE_EVENTMSG_SYSCALL_ENTRY 1 /* include/uapi/linux/ptrace.h, since 5.3 */

/* Whether the current thread, TASK, stops at the entry of a call. */
static __always_inline bool stops_at_entry(struct task_struct *task)
{
	u32 code = task_read(task, exit_code);

	if (code >> 8 == PTRACE_EVENT_SECCOMP)
		return true;
	return (code & 0x7f) == SIGTRAP && !(code >> 8) &&
	       task_read(task, ptrace_message) == PTRACE_EVENTMSG_SYSCALL_ENTRY;
}

PAIR("tp_btf/signal_generate", on_stop, HOOK_STOP)
{
	struct task_struct *task = current_task();
	struct task_state *state;
	u32 nr;

	if ((s32)ctx[0] != SIGCHLD || !task_read(task, ptrace) || !stops_at_entry(task))
		return 0;
	state = current_state(true);
	nr = number_in(stacked_registers((u64)bpf_get_current_task()));
	if (state && nr < MAX_SYSCALLS)
		state->stopped_nr = nr + 1;
	return 0;
}
