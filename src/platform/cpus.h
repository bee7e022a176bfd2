/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_CPUS_H
#define IOTRC_CPUS_H

/* Returns the number of CPUs that this machine can ever have, including those that are not plugged
 * in yet; at least 1. */
unsigned int cpus__possible(void);

/* Calls RUN(ARG) in the calling thread on CPU, then lets the thread run where it could before.
 * Returns 0, or a negative errno without a call: -ENOTSUP on macOS (sched_setaffinity(2) is
 * Linux's). */
int cpus__call_on(int cpu, void (*run)(void *arg), void *arg);

#endif
