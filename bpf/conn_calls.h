/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Calls on sockets. */
#ifndef IOTRC_BPF_CONN_CALLS_H
#define IOTRC_BPF_CONN_CALLS_H

#include "bpf/abi.h"
#include "bpf/call.h"
#include "bpf/connect.h"
#include "bpf/current.h"
#include "bpf/file.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/rings.h"
#include "bpf/sockaddr.h"
#include "bpf/socket.h"
#include "bpf/task_state.h"
#include "bpf/uread.h"
#include "schema/records.h"
#include "schema/streams.h"

struct conn_scratch {
	struct rec_conn rec;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct conn_scratch);
} conn_scratch SEC(".maps");

/* Keeps the address that the call gives: the kernel copies it a moment later, and another thread
 * can change it then. What is not resident is read on exit. */
static __always_inline enum verdict enter_conn(struct task_state *state,
					       const volatile struct syscall_desc *d)
{
	u32 len = state->args[2];

	state->text_bytes = -1;
	if ((d->op == CONN_CONNECT || d->op == CONN_BIND) && len <= SOCKADDR_BYTES &&
	    !uread(state->own.requested, len, state->args[1]))
		state->text_bytes = len;
	return VERDICT_TRACE;
}

__subprog int emit_conn(struct task_state *state, const volatile struct syscall_desc *d)
{
	struct task_struct *task = current_task();
	u64 file, sk = 0;
	u32 zero = 0, size = sizeof(struct rec_conn);
	struct conn_scratch *s = bpf_map_lookup_elem(&conn_scratch, &zero);
	struct rec_conn *rec;
	s64 fd;
	u8 op;

	if (!s || !state || !d)
		return 0;
	rec = &s->rec;
	op = state->is_socket ? CONN_CLOSE : d->op;
	fd = op == CONN_SOCKET_CREATE ? state->ret : (s32)arg(state, d->fd);
	rec->type = REC_CONN;
	rec->op = op;
	rec->no_fd = rec->no_args = state->no_args;
	rec->fd = fd;
	rec->ns = state->exit_ns;
	rec->duration = state->exit_ns - state->enter_ns;
	rec->task = state->id;
	rec->ret = d->shape == SHAPE_DUP ? 0 : state->ret;
	rec->arg = arg(state, d->aux);
	rec->domain = op == CONN_SOCKET_CREATE && !state->no_args ? state->args[0] : 0;
	if (op == CONN_CLOSE) {
		__builtin_memcpy(&rec->ends, &state->ends, sizeof(rec->ends));
	} else {
		__builtin_memset(&rec->ends, 0, sizeof(rec->ends));
		/* After accept() the new socket knows both ends. */
		file = task_file(task, op == CONN_ACCEPT && state->ret >= 0 ? state->ret : fd);
		if (file && is_socket(file)) {
			sk = sock_of(file);
			ends_of_sock(&rec->ends, sk);
		}
		if (state->text_bytes >= 0)
			given_end(&rec->ends, op, state->ret, as_number(state->own.requested),
				  state->args[2], OF_KERNEL);
		else
			rec->ends.late = given_end(&rec->ends, op, state->ret, state->args[1],
						   state->args[2], OF_USER);
	}
	if (!conn_ends_whole(&rec->ends))
		size -= sizeof(rec->ends.un) - sizeof(rec->ends.ip);
	output(rec, size, STREAM_NW_CONN, state->exit_ns);
	if (op == CONN_CONNECT)
		connect_returned(sk, state->ret);
	return 0;
}

#endif
