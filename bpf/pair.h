/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Two programs for one event, where programs on raw tracepoints can be preempted (7.1 on). While a
 * thread is in the midst of a program, preempted, the kernel runs that for nobody else on that CPU;
 * nor for what an interrupt does over it. The second program stands by: it does what the first was
 * not let do.
 *
 * The first leaves word that it was there. The word is the address of the arguments: they lie on
 * the stack, the same for both programs, and for no other event under way. What neither came to is
 * known from the counts: the kernel's of what the first missed, less what the second has taken. */
#ifndef IOTRC_BPF_PAIR_H
#define IOTRC_BPF_PAIR_H

#include "bpf/abi.h"
#include "bpf/cfg.h"
#include "bpf/counters.h"
#include "bpf/current.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"

/* As many as can be under way in a thread: its own event, and those of a soft interrupt, an
 * interrupt and an NMI that came over it. */
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

/* False when there is no room: the event then is the second's. A word that the second never took,
 * as it was missed itself, is in the way until there is one like it. (With CAP_PERFMON the verifier
 * lets CTX be kept.) */
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

/* N events more that the second has taken, or, negative, that were left to it. */
static __always_inline void count_taken(enum hook hook, s64 n)
{
	u32 cpu;

	__sync_fetch_and_add(&cpu_slot(&cpu)->taken[hook], n);
}

/* Whether the event is the first program's. */
static __always_inline bool first(void *ctx, enum hook hook)
{
	if (cfg.raw_preemptible && !leave_word(ctx)) {
		count_taken(hook, -1);
		return false;
	}
	count_fired(hook);
	return true;
}

/* Whether the event is the second program's, which is loaded where programs can be preempted
 * alone. */
static __always_inline bool second(void *ctx, enum hook hook)
{
	if (take_word(ctx))
		return false;
	count_taken(hook, 1);
	count_fired(hook);
	return true;
}

/* Both programs of HOOK, at SECTION: NAME and NAME_second; the body follows, with the arguments in
 * CTX. */
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
