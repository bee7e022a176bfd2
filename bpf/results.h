/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The filters that depend on the result of an operation: --errors and --slow. */
#ifndef IOTRC_BPF_RESULTS_H
#define IOTRC_BPF_RESULTS_H

#include "bpf/cfg.h"
#include "bpf/counters.h"
#include "bpf/helpers.h"
#include "schema/records.h"
#include "schema/streams.h"

#define EEXIST 17 /* include/uapi/asm-generic/errno-base.h */

#define MAX_ERRNO 4095 /* include/linux/err.h */

/* The errno of result RET, or 0. */
static __always_inline u64 error_of(s64 ret)
{
	return ret < 0 && ret >= -MAX_ERRNO ? -ret : 0;
}

/* Whether a filter drops an operation that FAILED or not and took DURATION ns, or
 * DURATION_UNKNOWN. */
static __always_inline bool ended_left_out(bool failed, u64 duration)
{
	if (cfg.errors && !failed)
		return true;
	return cfg.slow_ns && (duration == DURATION_UNKNOWN || duration < cfg.slow_ns);
}

/* The same for an event of STREAM, which is counted if it is dropped. */
static __always_inline bool leave_out_ended(enum stream stream, bool failed, u64 duration)
{
	if (!ended_left_out(failed, duration))
		return false;
	count_filtered(stream);
	return true;
}

/* Whether a filter drops all events of STREAM, which have neither result nor duration. */
static __always_inline bool leave_out_instant(enum stream stream)
{
	return leave_out_ended(stream, false, DURATION_UNKNOWN);
}

#endif
