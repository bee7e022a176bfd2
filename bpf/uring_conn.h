/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Calls on sockets that come through io_uring. The rows are like those of the system calls, by the
 * thread that submitted. A socket in a slot of the ring's own table has no descriptor. */
#ifndef IOTRC_BPF_URING_CONN_H
#define IOTRC_BPF_URING_CONN_H

#include "bpf/abi.h"
#include "bpf/call.h"
#include "bpf/counters.h"
#include "bpf/current.h"
#include "bpf/definitions.h"
#include "bpf/file.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/rings.h"
#include "bpf/sockaddr.h"
#include "bpf/socket.h"
#include "bpf/task_state.h"
#include "bpf/uread.h"
#include "bpf/uring_abi.h"
#include "bpf/uring_flight.h"
#include "bpf/uring_ring.h"
#include "schema/records.h"
#include "schema/streams.h"

struct uring_conn {
	struct rec_conn rec; /* ns: the time of submission */
	u64 file;            /* file at submission; 0 for a registered file, which REQ has */
	u64 req;
	u32 address_len;
	u32 direct; /* the result goes to this slot, counted from 1, and is no descriptor */
	u32 quiet;  /* no tracepoint reports its success */
	u64 many;   /* key in uring_many, or 0 */
	u64 who;    /* as in struct uring_flight */
	u32 epoch, pad;
	char address[SOCKADDR_BYTES]; /* of connect and bind: the program may reuse its memory */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1024); /* resized by user space */
	__type(key, u64);
	__type(value, struct uring_conn);
} uring_conns SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct uring_conn);
} uring_conn_scratch SEC(".maps");

/* Keeps a request until it completes. CALL has its arguments, like those of the system call that D
 * describes. */
__subprog int conn_submit(struct task_state *call, const volatile struct syscall_desc *d,
			  const struct uring_request *rq)
{
	u32 zero = 0, len = 0;
	u64 key, many;
	struct uring_conn *c = bpf_map_lookup_elem(&uring_conn_scratch, &zero);
	bool registered = call && call->is_socket;
	u32 direct;

	if (!c || !call || !d || !rq)
		return 0;
	key = rq->key;
	many = rq->many;
	direct = rq->direct;
	__builtin_memset(&c->rec, 0, sizeof(c->rec));
	c->rec.type = REC_CONN;
	c->rec.op = d->shape == SHAPE_CONN ? d->op : CONN_CLOSE;
	c->rec.no_fd = registered || direct;
	c->rec.fd = (s32)call->args[0];
	c->rec.ns = call->enter_ns;
	c->rec.task = call->id;
	c->who = bpf_get_current_pid_tgid();
	c->epoch = call->epoch;
	c->rec.arg = arg(call, d->aux);
	c->direct = direct;
	c->quiet = rq->quiet;
	c->req = rq->req;
	c->file = 0;
	if (c->rec.op == CONN_SOCKET_CREATE)
		c->rec.domain = call->args[0];
	else if (registered)
		c->file = call->file;
	else
		c->file = task_file(current_task(), c->rec.fd);
	if (c->rec.op == CONN_ACCEPT)
		c->rec.no_fd = registered; /* fd is the listener */
	if (c->rec.op == CONN_CLOSE) {
		ends_of_sock(&c->rec.ends, sock_of(c->file));
		c->file = 0;
	}
	if (d->path) {
		len = arg(call, d->size);
		if (len > SOCKADDR_BYTES)
			len = 0;
		if (uread(c->address, len, arg(call, d->path)))
			len = 0;
	}
	c->address_len = len;
	c->many = many;
	if ((many && bpf_map_update_elem(&uring_many, &many, &key, BPF_ANY)) ||
	    bpf_map_update_elem(&uring_conns, &key, c, BPF_ANY))
		lose(STREAM_NW_CONN, bpf_ktime_get_ns());
	return 0;
}

__noinline int conn_complete(u64 key, s32 res, u32 cqe_flags)
{
	struct uring_conn *c = bpf_map_lookup_elem(&uring_conns, &key);
	struct task_struct *task = current_task();
	u64 file, submitted;
	u32 size = sizeof(c->rec);
	u64 many;

	if (!c)
		return 0;
	if (!is_kept(c->epoch)) {
		c->rec.task = submitter_again(c->who);
		c->epoch = epoch;
	}
	submitted = c->rec.ns;
	c->rec.ns = bpf_ktime_get_ns();
	c->rec.duration = c->rec.ns - submitted;
	c->rec.ret = res;
	if (c->rec.op != CONN_CLOSE) {
		file = c->req ? kread(c->req, io_kiocb, file) : 0;
		if (!file)
			file = c->file;
		if (c->direct && res >= 0)
			file = slot_file(kread(c->req, io_kiocb, ctx),
					 c->direct == FILE_INDEX_ALLOC ? (u32)res : c->direct - 1);
		else if (c->rec.op == CONN_SOCKET_CREATE || (c->rec.op == CONN_ACCEPT && res >= 0))
			file = res >= 0 ? task_file(task, res) : 0;
		if (c->rec.op == CONN_SOCKET_CREATE)
			c->rec.fd = res;
		if (file && is_socket(file))
			ends_of_sock(&c->rec.ends, sock_of(file));
		given_end(&c->rec.ends, c->rec.op, res, as_number(c->address), c->address_len,
			  OF_KERNEL);
	}
	if (!conn_ends_whole(&c->rec.ends))
		size -= sizeof(c->rec.ends.un) - sizeof(c->rec.ends.ip);
	output(&c->rec, size, STREAM_NW_CONN, c->rec.ns);
	if (cqe_flags & CQE_F_MORE) {
		c->rec.ns = submitted;
		return 0;
	}
	many = c->many;
	bpf_map_delete_elem(&uring_conns, &key);
	if (many)
		bpf_map_delete_elem(&uring_many, &many);
	return 0;
}

#endif
