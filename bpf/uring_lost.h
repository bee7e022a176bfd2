/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Requests of io_uring whose completion is not told of, or can't be told apart. */
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

/* Some request was one whose success no tracepoint tells of. */
volatile u32 uring_quiet = 0;

/* Whether a completion has been told of whose request isn't known (overflow()). */
volatile u32 uring_overflown = 0;

/* Requests in flight that will be no row, by the program's number, and how many: where completions
 * don't name their request each has to be known. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096); /* by the program to its own measure */
	__type(key, u64);
	__type(value, u32);
} uring_rowless SEC(".maps");

/* A request with IOSQE_CQE_SKIP_SUCCESS passes no tracepoint when it succeeds: the functions where
 * it ends tell (on_uring_flush). Where they can't be hooked, that it has is known when its memory
 * has become another's: its row is lost. One that found the queue full was counted then. */
__noinline int miss_quiet(u64 key)
{
	struct uring_flight *f = bpf_map_lookup_elem(&uring_flights, &key);
	struct uring_conn *c = bpf_map_lookup_elem(&uring_conns, &key);

	if (f && (f->quiet || uring_overflown)) {
		if (f->quiet && f->shape != SHAPE_NONE)
			lose(STREAM_FS, bpf_ktime_get_ns());
		bpf_map_delete_elem(&uring_flights, &key);
		bpf_map_delete_elem(&uring_asked, &key);
	}
	if (c && (c->quiet || uring_overflown)) {
		if (c->quiet)
			lose(STREAM_NW_CONN, bpf_ktime_get_ns());
		bpf_map_delete_elem(&uring_conns, &key);
	}
	return 0;
}

/* Where completions don't name their request, nothing tells those in flight apart to which the
 * program has given the same number: none of them will be a row, and each counts as lost. Whether
 * KEY is such a number. */
__noinline int mix_up(u64 key)
{
	struct uring_flight *f = bpf_map_lookup_elem(&uring_flights, &key);
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
	}
	if (c) {
		other = true;
		lose(STREAM_NW_CONN, bpf_ktime_get_ns());
	}
	if (!other)
		return 0;
	bpf_map_delete_elem(&uring_flights, &key);
	bpf_map_delete_elem(&uring_asked, &key);
	bpf_map_delete_elem(&uring_conns, &key);
	bpf_map_update_elem(&uring_rowless, &key, &two, BPF_ANY);
	return 1;
}

/* Whether a completion is no row's. */
static __always_inline bool was_rowless(u64 key, u32 cqe_flags)
{
	u32 *rowless = bpf_map_lookup_elem(&uring_rowless, &key);

	if (!rowless)
		return false;
	names_epoch++; /* it may have changed names */
	if (!(cqe_flags & CQE_F_MORE) && !--*rowless)
		bpf_map_delete_elem(&uring_rowless, &key);
	return true;
}

#endif
