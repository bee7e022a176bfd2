/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Requests of io_uring whose completion is not reported, or cannot be told from that of others. */
#ifndef IOTRC_BPF_URING_LOST_H
#define IOTRC_BPF_URING_LOST_H

#include "bpf/abi.h"
#include "bpf/counters.h"
#include "bpf/file.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "bpf/uring_abi.h"
#include "bpf/uring_conn.h"
#include "bpf/uring_flight.h"
#include "schema/streams.h"

/* Set when a request has been seen whose success no tracepoint reports. */
volatile u32 uring_quiet = 0;

/* Set when a completion has been seen whose request is unknown (bpf/uring_overflow.bpf.c). */
volatile u32 uring_overflown = 0;

/* Requests in flight that will not be rows, and how many have the same user_data. Kept where
 * completions do not name their request: each has to be recognized. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096); /* resized by user space */
	__type(key, u64);
	__type(value, u32);
} uring_rowless SEC(".maps");

/* A request with IOSQE_CQE_SKIP_SUCCESS passes no tracepoint when it succeeds; the functions that
 * end it report it (bpf/uring_quiet.bpf.c). If these cannot be hooked, its success is noticed when
 * its memory becomes that of a new request, KEY: its row is lost. A completion that found the queue
 * full was counted when that happened. */
__noinline int miss_quiet(u64 key)
{
	struct uring_flight *f = find_flight(key);
	struct uring_conn *c = bpf_map_lookup_elem(&uring_conns, &key);

	if (f && (f->quiet || uring_overflown)) {
		if (f->quiet && f->shape != SHAPE_NONE)
			lose(STREAM_FS, bpf_ktime_get_ns());
		end_flight(key, f);
	}
	if (c && (c->quiet || uring_overflown)) {
		if (c->quiet)
			lose(STREAM_NW_CONN, bpf_ktime_get_ns());
		bpf_map_delete_elem(&uring_conns, &key);
	}
	return 0;
}

/* Where completions do not name their request, requests in flight with the same user_data cannot be
 * told apart: none of them becomes a row, and each counts as lost. Returns whether KEY is such a
 * number. */
__noinline int is_ambiguous(u64 key)
{
	struct uring_flight *f = find_flight(key);
	struct uring_conn *c = bpf_map_lookup_elem(&uring_conns, &key);
	u32 *rowless = bpf_map_lookup_elem(&uring_rowless, &key), two = 2;
	bool other = false;

	if (rowless) {
		++*rowless;
		return 1;
	}
	if (f) {
		other = true;
		if (f->shape != SHAPE_NONE)
			lose(STREAM_FS, bpf_ktime_get_ns());
		end_flight(key, f);
	}
	if (c) {
		other = true;
		lose(STREAM_NW_CONN, bpf_ktime_get_ns());
		bpf_map_delete_elem(&uring_conns, &key);
	}
	if (!other)
		return 0;
	bpf_map_update_elem(&uring_rowless, &key, &two, BPF_ANY);
	return 1;
}

/* Whether the completion belongs to a request that is not a row. */
static __always_inline bool was_rowless(u64 key, u32 cqe_flags)
{
	u32 *rowless = bpf_map_lookup_elem(&uring_rowless, &key);

	if (!rowless)
		return false;
	names_epoch++; /* the request may have changed names */
	if (!(cqe_flags & CQE_F_MORE) && !--*rowless)
		bpf_map_delete_elem(&uring_rowless, &key);
	return true;
}

#endif
