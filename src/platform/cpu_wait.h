/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_CPU_WAIT_H
#define IOTRC_CPU_WAIT_H

#include <stdint.h>

/* How long the calling thread has waited for a CPU since its start, in ns: the second number of
 * /proc/thread-self/schedstat (Documentation/scheduler/sched-stats.rst). 0 where the kernel does
 * not count it. */
uint64_t cpu_wait__ns(void);

#endif
