/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Exit of a system call: the record that says what it did. */
#ifndef IOTRC_BPF_SYSCALL_EXIT_H
#define IOTRC_BPF_SYSCALL_EXIT_H

#include "bpf/abi.h"
#include "bpf/aio.h"
#include "bpf/aio_end.h"
#include "bpf/call.h"
#include "bpf/cfg.h"
#include "bpf/epoll_calls.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/mapping_calls.h"
#include "bpf/mount_calls.h"
#include "bpf/plain_calls.h"
#include "bpf/process_calls.h"
#include "bpf/socket_end.h"
#include "bpf/sockopt_calls.h"
#include "bpf/syscall_table.h"
#include "bpf/task_state.h"
#include "bpf/two_file_calls.h"

/* Like enter_rare(); returns the record that is still to be made. */
__noinline int exit_rare(void)
{
	const volatile struct syscall_desc *d;
	struct task_state *state = current_state(false);

	if (!state)
		return 0;
	d = describe(state->nr, state->compat);
	if (!d)
		return 0;
	if (state->n_kept)
		settle_ends(state->ret >= 0);
	switch (d->shape) {
	case SHAPE_MMAP:
	case SHAPE_RANGE:
		emit_mapping(state, d);
		break;
	case SHAPE_IOCTL:
		if (sets_attributes(state, d)) {
			emit_attributes(state, d);
			break;
		}
		/* fall through */
	case SHAPE_TWO_FILES:
		emit_two_files(state, d);
		break;
	case SHAPE_FD: /* with RWF_* flags */
	case SHAPE_PLAIN:
		emit_plain(state, d);
		break;
	case SHAPE_FSMOUNT:
		emit_fsmount(state, d);
		break;
	case SHAPE_FORK:
		return exit_fork(state, d);
	case SHAPE_EXEC:
		if (only_checks(state, d))
			return cfg.fs ? REMAINS_PATH : REMAINS_NONE;
		if (state->ret >= 0)
			aio_end_process();
		return cfg.exec_rows ? exit_exec(state, d) : REMAINS_NONE;
	case SHAPE_EPOLL:
		emit_epoll(state, d, arg(state, d->fd), arg(state, d->size), arg(state, d->flags),
			   arg(state, d->fd2), arg(state, d->aux));
		break;
	case SHAPE_SOCKOPT:
		emit_sockopt(state, d);
		break;
	}
	return 0;
}

/* Not by exit_rare(), as enter_aio_call(). */
static __always_inline enum remains exit_aio_call(struct task_state *state,
						  const volatile struct syscall_desc *d)
{
	if (d->aux)
		return aio_begin(state);
	exit_aio(state, d->path);
	return REMAINS_NONE;
}

#endif
