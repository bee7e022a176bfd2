/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a hook on system calls costs on this machine, measured with programs that do nothing. */
#ifndef IOTRC_ATTACH_COST_H
#define IOTRC_ATTACH_COST_H

#include <stdint.h>

/* What is added to a call, in ns. */
struct attach_cost {
	uint64_t tracepoints; /* by classic tracepoints on entry and exit, to every call */
	uint64_t functions;   /* by kprobe.multi and kretprobe.multi, to calls of that function */
};

/* Measures both, which takes some hundredths of a second, mostly for attaching. Returns 0, or a
 * negative errno if one of them cannot be attached. x86-64 only. */
int attach_cost__measure(struct attach_cost *ret);

#endif
