/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Kernel AIO. It has no tracepoints. Requests are taken from io_submit(), and their results from
 * the ring that the kernel shares with the process (struct aio_ring of fs/aio.c, mapped at the
 * address that is the context's id). That ring is read at each call about the context, so a program
 * that reaps results without io_getevents() is noticed at its next io_submit(). The rest is shared
 * with io_uring. */
#ifndef IOTRC_BPF_AIO_H
#define IOTRC_BPF_AIO_H

#include "bpf/abi.h"
#include "bpf/aio_keys.h"
#include "bpf/call.h"
#include "bpf/call_file.h"
#include "bpf/call_fill.h"
#include "bpf/counters.h"
#include "bpf/file.h"
#include "bpf/hash.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/kread.h"
#include "bpf/scope.h"
#include "bpf/task_state.h"
#include "bpf/uread.h"
#include "bpf/uring_abi.h"
#include "bpf/uring_complete.h"
#include "bpf/uring_flight.h"
#include "schema/records.h"
#include "schema/streams.h"

#define AIO_RING_MAGIC 0xa10a10a1
#define AIO_STEP 32  /* requests or results per call of a function with a loop */
#define AIO_STEPS 32 /* such calls per system call */

/* struct iocb of include/uapi/linux/aio_abi.h, little endian, from its key on. */
#define IOCB_KEY 8
struct iocb {
	u32 key, rw_flags;
	u16 opcode, reqprio;
	u32 fd;
	u64 buf, nbytes, offset;
};

enum {
	AIO_PREAD,
	AIO_PWRITE,
	AIO_FSYNC,
	AIO_FDSYNC,
	AIO_POLL = 5,
	AIO_NOOP,
	AIO_PREADV,
	AIO_PWRITEV,
};

struct aio_ring_head {
	u32 id, nr, head, tail, magic, compat, incompat, length;
};
#define AIO_TAIL 12

/* struct io_event, from the address of its request on. */
#define EVENT_BYTES 32
#define EVENT_IOCB 8
struct aio_event {
	u64 iocb;
	s64 res;
};

/* How many results of a context have been seen. LRU: no event reliably tells the end of a
 * context. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, u64);
	__type(value, u32);
} aio_seen SEC(".maps");

static __always_inline u64 aio_key(u64 address)
{
	return mix(kread((u64)bpf_get_current_task(), task_struct, mm), address);
}

/* The io_uring opcode that does the same; 0 for what is no operation on a file. */
static __always_inline u32 aio_opcode(u32 opcode)
{
	switch (opcode) {
	case AIO_PREAD:
		return IORING_OP_READ;
	case AIO_PWRITE:
		return IORING_OP_WRITE;
	case AIO_FSYNC:
	case AIO_FDSYNC:
		return IORING_OP_FSYNC;
	case AIO_PREADV:
		return IORING_OP_READV;
	case AIO_PWRITEV:
		return IORING_OP_WRITEV;
	case AIO_POLL:
	case AIO_NOOP:
		return 0;
	}
	return OP_UNKNOWN_TO_AIO;
}

/* Takes the request at user address AT in the form of a request to io_uring into the scratch state.
 * Returns io_uring's opcode for it, or 0. A function by itself, so that the request is off the
 * stack when its file is looked up: 5.10 counts 512 bytes for all callers together. And a small
 * one, as those below that read memory of the program (bpf/uread.h). */
__noinline int take_iocb(u64 at)
{
	struct task_state *call = get_uring_state();
	struct iocb cb = {};

	if (!call || uread(&cb, sizeof(cb), at + IOCB_KEY))
		return 0;
	call->args[0] = (s32)cb.fd;
	call->args[1] = cb.buf;
	call->args[2] = cb.nbytes;
	call->args[3] = cb.offset;
	call->args[4] = cb.opcode == AIO_FDSYNC ? FSYNC_DATASYNC : cb.rw_flags;
	call->args[5] = cb.opcode;
	return aio_opcode(cb.opcode);
}

/* Where F, an appending write of N bytes, will begin: behind the earlier writes of this io_submit()
 * to the same file. base[], which AIO does not use otherwise, holds that place. */
static __always_inline void aio_appends(struct task_state *state, struct uring_flight *f, u64 n)
{
	u64 inode = kread(f->file, file, f_inode);

	if (state->base[0] != inode) {
		state->base[0] = inode;
		state->base[1] = kread(inode, inode, i_size);
	}
	f->rec.fs.offset = state->base[1];
	f->rec.fs.has |= FS_HAS_OFFSET;
	f->at_position = 1;
	state->base[1] += n;
}

/* Whether a request KEY is in progress, or its result was not seen. */
static __always_inline bool aio_in_flight(u64 key)
{
	struct uring_place *place = place_of(key);

	if (place && place->key == key)
		return true;
	return aio_hashed && bpf_map_lookup_elem(&uring_flights, &key);
}

/* Keeps the request at user address AT until its result is seen. An earlier one at this address
 * cannot be told from it any more: it has no result. */
__noinline int aio_request(u64 at)
{
	struct task_state *state = current_state(false), *call;
	struct uring_flight *f;
	u64 key = aio_key(at);
	u32 opcode;
	enum verdict verdict = VERDICT_TRACE;

	f = get_uring_scratch();
	call = get_uring_state();
	if (!state || !f || !call)
		return 0;
	if (aio_in_flight(key))
		complete_unreported(key);
	begin_request(call, state);
	call->compat = state->compat;
	opcode = take_iocb(at) & (MAX_URING_OPS - 1);
	if (uring_ops[opcode].shape != SHAPE_FD)
		return 0;
	prepare_flight(opcode);
	f->rec.fs.has = (f->rec.fs.has & ~FS_IO_URING) | FS_AIO;
	f->at_position = 0;
	if (f->file) {
		verdict = find_name(state, f->file, f->hint, &f->rec.fs.path);
		if (verdict == VERDICT_FILTERED) {
			count_filtered(STREAM_FS);
			return 0;
		}
		if (appends(call, &uring_ops[opcode]))
			aio_appends(state, f, call->args[2]);
		if (!has_position(f->file))
			f->rec.fs.has &= ~FS_HAS_OFFSET;
	}
	f->file = 0; /* it may have been closed by the time the result is seen */
	f->props = 0;
	f->many = 0;
	if (verdict == VERDICT_LOST || store_flight(key, f))
		lose(STREAM_FS, bpf_ktime_get_ns());
	else if (!f->in_place)
		aio_note(key);
	return 0;
}

/* What is to be done with a request. A negative number: it failed with that error. */
enum aio_act {
	AIO_KEEP,
	AIO_FORGET,     /* the kernel has not looked at it */
	AIO_UNREPORTED, /* it failed, and the program was not told how */
};

/* The kernel did not accept the request at user address AT. */
__noinline int aio_refused(u64 at, s32 act)
{
	u64 key = aio_key(at);
	struct uring_flight *f;

	if (act < 0)
		return on_complete_named(key, act);
	if (act == AIO_UNREPORTED)
		return complete_unreported(key);
	f = take_flight(key);
	if (f)
		end_flight(key, f);
	return 0;
}

/* Records the result at user address AT; returns whether it could be read. */
__noinline int aio_result(u64 at)
{
	struct aio_event event;

	if (uread(&event, sizeof(event), at + EVENT_IOCB))
		return 0;
	on_complete_named(aio_key(event.iocb), event.res);
	return 1;
}

/* Records the results that were added to the ring of CONTEXT; returns whether there are more. */
__noinline int aio_reap(u64 context)
{
	struct aio_ring_head ring;
	u64 key = aio_key(context);
	u32 *seen = bpf_map_lookup_elem(&aio_seen, &key), at;
	u64 i;

	if (uread(&ring, sizeof(ring), context) || ring.magic != AIO_RING_MAGIC || !ring.nr)
		return 0;
	at = (seen ? *seen : ring.head) % ring.nr;
	for (i = 0; i < AIO_STEP && at != ring.tail; i++) {
		if (!aio_result(context + ring.length + (u64)at * EVENT_BYTES))
			break;
		/* No branch: the verifier would follow both ways in each round. */
		at = (at + 1) % ring.nr;
	}
	if (seen)
		*seen = at;
	else
		bpf_map_update_elem(&aio_seen, &key, &at, BPF_ANY);
	return at != ring.tail;
}

/* Does ACT with the request at user address AT. */
__noinline int aio_act(u64 at, s32 act)
{
	return act == AIO_KEEP ? aio_request(at) : aio_refused(at, act);
}

/* Does ACT with the requests [FROM, TO) of the array at LIST of io_submit(), whose pointers are of
 * WIDTH bytes. */
__noinline int aio_requests(u64 list, u32 from, u32 to, s32 act, u32 width)
{
	u64 i;

	for (i = 0; i < AIO_STEP; i++) {
		u64 at = 0;

		/* 4 or 8 bytes, without a branch, which the verifier would follow in each round. */
		if (from + i >= to || uread(&at, 8 - (width & 4), list + (from + i) * width))
			break;
		aio_act(at, act);
	}
	return 0;
}

/* Records all results that were added; returns whether there are too many for one look. */
__noinline int aio_reap_all(u64 context)
{
	u64 i;

	for (i = 0; i < AIO_STEPS; i++)
		if (!aio_reap(context))
			return 0;
	return 1;
}

__noinline u32 aio_tail(u64 context)
{
	u32 tail;

	return uread(&tail, sizeof(tail), context + AIO_TAIL) ? 0 : tail;
}

/* Records the results that were added to the context of the call. Mostly there are none since the
 * thread's last look, and the tail is where it was. If it is there again because the ring has been
 * filled by results that other threads have looked at, the last ones wait for the next look: at the
 * latest the one when the context or the process ends. */
static __always_inline void aio_look(struct task_state *state)
{
	u64 context = state->args[0];
	u32 tail = aio_tail(context);

	if (state->aio_context == context && state->aio_tail == tail)
		return;
	state->aio_context = aio_reap_all(context) ? 0 : context;
	state->aio_tail = tail;
}

__subprog enum verdict enter_aio(struct task_state *state, u32 submits)
{
	u64 i;

	if (!state)
		return VERDICT_IGNORE;
	aio_look(state);
	if (submits && !state->noted)
		aio_note_process();
	for (i = 0; i < AIO_STEPS && submits && i * AIO_STEP < state->args[1]; i++)
		aio_requests(state->args[2], i * AIO_STEP, state->args[1], AIO_KEEP,
			     state->compat ? 4 : 8);
	return VERDICT_TRACE; /* so that exit_aio() runs; the call itself is no row */
}

/* io_setup() has made a context, perhaps at an address where this process or a dead one had
 * another. */
__subprog int aio_begin(struct task_state *state)
{
	u64 context = 0, key;

	if (!state || state->ret || uread(&context, state->compat ? 4 : 8, state->args[1]))
		return 0;
	key = aio_key(context);
	bpf_map_delete_elem(&aio_seen, &key);
	state->aio_context = 0;
	return 0;
}

/* Whether the context takes no more than N requests at a time: the kernel does not look at the
 * rest (nr_events in io_submit() of fs/aio.c). */
__noinline bool fills_ring(u64 context, s64 n)
{
	struct aio_ring_head ring;

	return uread(&ring, sizeof(ring), context) || n >= ring.nr;
}

__subprog int exit_aio(struct task_state *state, u32 submits)
{
	u32 width;
	s64 accepted, i;

	if (!state)
		return 0;
	width = state->compat ? 4 : 8;
	accepted = state->ret < 0 ? 0 : state->ret;
	/* If io_submit() failed, its result is the error of the first request. Otherwise it is how
	 * many were accepted, before one that was not. */
	if (submits && state->ret < 0)
		aio_requests(state->args[2], 0, (s64)state->args[1] > 0, state->ret, width);
	else if (submits && accepted < (s64)state->args[1] && !fills_ring(state->args[0], accepted))
		aio_requests(state->args[2], accepted, accepted + 1, AIO_UNREPORTED, width);
	for (i = 0; i < AIO_STEPS && submits && accepted + i * AIO_STEP < (s64)state->args[1]; i++)
		aio_requests(state->args[2], accepted + i * AIO_STEP, state->args[1], AIO_FORGET,
			     width);
	aio_look(state);
	return 0;
}

#endif
