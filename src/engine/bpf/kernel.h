/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What this kernel supports, from its BTF or by trying. */
#ifndef IOTRC_KERNEL_H
#define IOTRC_KERNEL_H

#include <stdbool.h>
#include <sys/types.h>

#include "bpf/abi.h"

struct btf;

/* Returns the number of arguments of a function, or of a tracepoint (without the first one, which
 * is its own); -1: there is none. */
int kernel__function_args(const struct btf *btf, const char *function);
int kernel__tracepoint_args(const struct btf *btf, const char *tracepoint);

/* Returns the value of an enumerator of any enum; -1: there is none. */
int kernel__enumerator(const struct btf *btf, const char *name);

/* Whether a raw tracepoint tells a program the number that it was attached with. */
bool kernel__raw_cookies(const struct btf *btf);

/* Whether the programs for kernels from 6.2 on can be loaded (bpf/helpers.h). */
bool kernel__from_6_2(const struct btf *btf);

/* Sets everything in CFG that depends only on the kernel. */
void kernel__probe(struct capture_config *cfg, const struct btf *btf);

/* Whether programs on tracepoints can be preempted. */
bool kernel__preemptible(const struct btf *btf);

/* Whether programs on tracepoints do not run while process 1 runs. */
bool kernel__init_unseen(const struct btf *btf);

/* Whether programs can attach to functions. */
bool kernel__functions_allowed(const struct btf *btf);

/* Whether programs on function returns miss none. */
bool kernel__functions_exact(const struct btf *btf);

/* Whether a process that may not load programs can create an iterator. */
bool kernel__iterators_free(const struct btf *btf);

/* Whether the kernel would log a warning about our programs on classic tracepoints. */
bool kernel__classic_warns(const struct btf *btf);

/* Our process id as BPF programs see it. */
pid_t kernel__own_pid(void);

#endif
