/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Calls on an open file. */
#ifndef IOTRC_BPF_FD_CALLS_H
#define IOTRC_BPF_FD_CALLS_H

#include "bpf/abi.h"
#include "bpf/call.h"
#include "bpf/call_file.h"
#include "bpf/call_fill.h"
#include "bpf/cfg.h"
#include "bpf/file.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/socket.h"
#include "bpf/task_state.h"

static __always_inline enum verdict enter_fd(struct task_state *state, struct task_struct *task,
					     const volatile struct syscall_desc *d)
{
	s32 fd = arg(state, d->fd);
	u64 file = task_file(task, fd);
	bool closes = d->props & PROP_CLOSES, sockets_only = closes && !cfg.close_rows;

	if (d->props & PROP_IOVEC)
		fetch_given(state, d);
	if (!file)
		return sockets_only ? VERDICT_IGNORE : VERDICT_TRACE; /* the row will say EBADF */
	if (closes && is_socket(file)) {
		if (cfg.nw_conn) {
			state->is_socket = 1;
			ends_of_sock(&state->ends, sock_of(file));
		}
		if (!cfg.scope_all)
			return cfg.nw_conn ? VERDICT_TRACE : VERDICT_FILTERED;
	}
	if (sockets_only)
		return VERDICT_IGNORE;
	return take_file(state, file, fd);
}

#endif
