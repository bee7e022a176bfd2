/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Requests, and bios of devices that make no requests, on their way to completion. */
#ifndef IOTRC_BPF_FLIGHT_H
#define IOTRC_BPF_FLIGHT_H

#include "bpf/helpers.h"
#include "schema/types.h"

struct flight {
	u64 start_ns; /* request.start_time_ns: tells two requests at one address apart */
	u64 insert_ns, issue_ns;
	u64 task, request_id;
	u64 sector;
	u32 done, left_out;
	u32 sent;  /* its rows of extent have been sent */
	u32 epoch; /* in which the definition of TASK was sent */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096); /* resized by user space */
	__type(key, u64);
	__type(value, struct flight);
} in_flight SEC(".maps");

struct bio_flight {
	u64 start_ns, task, request_id, sector;
	u32 bytes, cmd_flags, dev;
	u32 left_out : 1, epoch : 31; /* as above */
};

/* LRU: a driver may pass the same bio on to another device, and then no tracepoint reports its
 * completion. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, u64);
	__type(value, struct bio_flight);
} bios_in_flight SEC(".maps");

#endif
