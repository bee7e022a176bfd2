/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Calls that the kernel continues after a stop (SIGSTOP and SIGCONT, the freezer, a debugger): they
 * return -ERESTART_RESTARTBLOCK, which the program does not see, and the kernel then has the thread
 * call restart_syscall(). Of the recorded calls only poll() does so. Its record waits until the
 * whole call ends. If a signal handler runs instead, the record is sent when the thread makes
 * another call, or ends. */
#ifndef IOTRC_BPF_SYSCALL_RESTART_H
#define IOTRC_BPF_SYSCALL_RESTART_H

#include "bpf/abi.h"
#include "bpf/call.h"
#include "bpf/call_renew.h"
#include "bpf/connect.h"
#include "bpf/current.h"
#include "bpf/definitions.h"
#include "bpf/epoll_calls.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/syscall_table.h"
#include "bpf/task_state.h"
#include "schema/types.h"

/* Sends the record that has waited. A global function: the verifier goes through it once. */
__noinline int send_held(void)
{
	struct task_state *state = current_state(false);
	const volatile struct syscall_desc *d;

	if (!state || !state->held)
		return 0;
	state->held = 0;
	d = describe(state->nr, state->compat);
	if (d && (is_kept(state->call_epoch) || renew_call() == VERDICT_TRACE))
		emit_epoll(state, d, arg(state, d->fd), arg(state, d->size), arg(state, d->flags),
			   arg(state, d->fd2), arg(state, d->aux));
	return 0;
}

/* Whether the call that now returns may be continued: then its record waits. */
static __always_inline bool hold(struct task_state *state, struct task_struct *task,
				 const volatile struct syscall_desc *d)
{
	if (state->ret != -ERESTART_RESTARTBLOCK || d->shape != SHAPE_EPOLL)
		return false;
	/* A process that is killed continues nothing. */
	if (kread(kread(task, task_struct, signal), signal_struct, flags) & SIGNAL_GROUP_EXIT)
		return false;
	state->restart_fn = kread(task, task_struct, restart_block.fn);
	state->held = 1;
	return true;
}

/* At the entry of a call: whether it continues the one whose record waits. */
static __always_inline bool continues(struct task_state *state, struct task_struct *task,
				      const volatile struct syscall_desc *d)
{
	return d->shape == SHAPE_RESTART && d->props & PROP_CONTINUES &&
	       state->restart_fn == kread(task, task_struct, restart_block.fn);
}

#endif
