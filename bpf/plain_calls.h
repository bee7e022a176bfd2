/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Calls without paths whose record still has to be a long one. */
#ifndef IOTRC_BPF_PLAIN_CALLS_H
#define IOTRC_BPF_PLAIN_CALLS_H

#include "bpf/abi.h"
#include "bpf/call.h"
#include "bpf/call_fill.h"
#include "bpf/call_long.h"
#include "bpf/cfg.h"
#include "bpf/helpers.h"
#include "bpf/task_state.h"
#include "schema/records.h"

/* close_range() and sync(); reads and writes with RWF_* flags. */
__subprog int emit_plain(struct task_state *state, const volatile struct syscall_desc *d)
{
	struct long_scratch *s = get_long_scratch();

	if (!s || !state || !d || (d->props & PROP_ENDS_FDS && !cfg.close_rows))
		return 0;
	prepare_long(s, state, d);
	if (d->props & PROP_RWF) {
		fill_extent(&s->rec.fs, state, d);
		s->rec.aux = arg(state, d->aux);
		s->rec.has |= LONG_HAS_RWF;
	}
	send_bare(s, state->exit_ns);
	return 0;
}

#endif
