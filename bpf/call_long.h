/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sending the long record of a call: one with paths, an address, or a second file. */
#ifndef IOTRC_BPF_CALL_LONG_H
#define IOTRC_BPF_CALL_LONG_H

#include "bpf/abi.h"
#include "bpf/call_fill.h"
#include "bpf/cfg.h"
#include "bpf/helpers.h"
#include "bpf/lane.h"
#include "bpf/rings.h"
#include "bpf/task_state.h"
#include "schema/records.h"
#include "schema/streams.h"
#include "schema/types.h"

#define REQUESTED_MAX (2 * PATH_BYTES)

struct long_scratch {
	struct rec_fs_long rec;
	char requested[REQUESTED_MAX + PATH_BYTES];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct long_scratch);
} long_scratch SEC(".maps");

static __always_inline struct long_scratch *get_long_scratch(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&long_scratch, &zero);
}

static __always_inline void prepare_long(struct long_scratch *s, struct task_state *state,
					 const volatile struct syscall_desc *d)
{
	fill(&s->rec.fs, state, d);
	s->rec.fs.type = REC_FS_LONG;
	s->rec.has = 0;
	s->rec.len = s->rec.len2 = 0;
	s->rec.address = s->rec.ino = 0;
	s->rec.aux = s->rec.aux2 = s->rec.dev = s->rec.mode = 0;
	s->rec.base = s->rec.base2 = 0;
	s->rec.skip = s->rec.skip2 = 0;
	s->rec.fs_type[0] = 0;
}

/* Sends the record of a system call, REC, of SIZE bytes. */
static __always_inline void send_call(struct lane_record *rec, u32 size, u64 now)
{
	if (cfg.lane_records && !cfg.sums)
		lane_send(rec, size);
	else
		output(rec, size, STREAM_FS, now);
}

/* Sends the record of a system call without paths. */
static __always_inline void send_bare(struct long_scratch *s, u64 now)
{
	send_call((struct lane_record *)s, sizeof(s->rec), now);
}

/* Sends a record that can be longer than a lane's, or of a request that may end in an interrupt. */
static __always_inline void send_long(struct long_scratch *s, u64 now)
{
	u32 size = sizeof(s->rec) + s->rec.len + s->rec.len2;

	if (size > sizeof(s->rec) + REQUESTED_MAX)
		size = sizeof(s->rec) + REQUESTED_MAX;
	output(&s->rec, size, STREAM_FS, now);
}

#endif
