/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Two programs for one event, on kernels where programs on raw tracepoints can be preempted (since
 * 7.1). While a program is preempted, the kernel does not run it for other threads of that CPU, nor
 * for interrupts on top of it. The standby program records the event instead.
 *
 * The first program leaves a word with the thread when it runs: the address of its arguments, which
 * lie on the stack and are the same for both programs, and for no other event in progress. What
 * both missed follows from the counts: what the kernel says the first missed, minus what the
 * standby has recorded. */
#ifndef IOTRC_BPF_PAIR_H
#define IOTRC_BPF_PAIR_H

#include "bpf/abi.h"
#include "bpf/cfg.h"
#include "bpf/counters.h"
#include "bpf/current.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"

/* Events that can be in progress in a thread: its own, and those of a soft interrupt, an interrupt
 * and an NMI on top. */
#define N_WORDS 4

struct words {
	u64 at[N_WORDS];
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct words);
} words SEC(".maps");

/* Returns false if there is no room: the event is left to the standby. A word that the standby
 * missed stays until an equal one replaces it. (With CAP_PERFMON the verifier allows storing
 * CTX.) */
static __always_inline bool leave_word(void *ctx)
{
	struct words *w =
		bpf_task_storage_get(&words, current_task(), 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	u64 word = (u64)ctx, i;

	if (!w)
		return false;
	for (i = 0; i < N_WORDS; i++)
		if (!w->at[i] || w->at[i] == word) {
			w->at[i] = word;
			return true;
		}
	return false;
}

static __always_inline bool take_word(void *ctx)
{
	struct words *w = bpf_task_storage_get(&words, current_task(), 0, 0);
	u64 word = (u64)ctx, i;
	bool found = false;

	if (!w)
		return false;
	for (i = 0; i < N_WORDS; i++)
		if (w->at[i] == word) {
			w->at[i] = 0;
			found = true;
		}
	return found;
}

/* Counts N events that the standby recorded; negative: that were left to it. */
static __always_inline void count_taken(enum hook hook, s64 n)
{
	u32 cpu;

	__sync_fetch_and_add(&cpu_slot(&cpu)->taken[hook], n);
}

/* Whether the first program records the event. */
static __always_inline bool first(void *ctx, enum hook hook)
{
	if (cfg.raw_preemptible && !leave_word(ctx)) {
		count_taken(hook, -1);
		return false;
	}
	count_fired(hook);
	return true;
}

/* Whether the standby program records the event. It is loaded only where programs can be
 * preempted. */
static __always_inline bool second(void *ctx, enum hook hook)
{
	if (take_word(ctx))
		return false;
	count_taken(hook, 1);
	count_fired(hook);
	return true;
}

/* Defines both programs of HOOK, attached to SECTION: NAME and NAME_second. Their common body
 * follows; its arguments are in CTX. */
#define PAIR(section, name, hook) \
	static __always_inline int name##_body(u64 *ctx); \
	SEC(section) int name(u64 *ctx) \
	{ \
		return first(ctx, hook) ? name##_body(ctx) : 0; \
	} \
	SEC(section) int name##_second(u64 *ctx) \
	{ \
		return second(ctx, hook) ? name##_body(ctx) : 0; \
	} \
	static __always_inline int name##_body(u64 *ctx)

#endif
