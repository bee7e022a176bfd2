/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sums of system calls. A call mostly belongs to the group of one of the thread's last calls, which
 * is found without a look-up. */
#ifndef IOTRC_BPF_CALL_GROUP_H
#define IOTRC_BPF_CALL_GROUP_H

#include "bpf/cfg.h"
#include "bpf/helpers.h"
#include "bpf/results.h"
#include "bpf/sums.h"
#include "bpf/task_state.h"
#include "schema/sums.h"
#include "schema/types.h"

/* Adds the thread's call that has just ended, in DURATION. WHAT and FILE are as for sum_add(). */
static __always_inline void sum_call(struct task_state *state, u64 what, u64 duration, u64 file)
{
	u32 error = cfg.sums & SUM_BY_ERRNO ? error_of(state->ret) : 0;
	u64 kind = sum_kind(what), of = cfg.sums & SUM_BY_FILE ? file : 0;
	u32 now_epoch = sums_epoch, minute = sum_minute(state->exit_ns);
	struct known_group *known =
		&state->groups[(kind >> 8 ^ kind >> 24 ^ of ^ error) % N_KNOWN_GROUPS];

	if (known->epoch == now_epoch && known->kind == kind && known->file == of &&
	    known->error == error && known->minute == minute) {
		if (!add_fast(known->index, what, state->ret, duration))
			sum_add_at(known->index, what, state->ret, duration);
		return;
	}
	known->index = sum_add(what, state->ret, duration, file, state->id);
	known->kind = kind;
	known->file = of;
	known->error = error;
	known->minute = minute;
	known->epoch = now_epoch;
}

#endif
