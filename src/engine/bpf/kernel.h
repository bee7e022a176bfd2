/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What this kernel can do, from its BTF or by trying. */
#ifndef IOTRC_KERNEL_H
#define IOTRC_KERNEL_H

#include <stdbool.h>
#include <sys/types.h>

#include "bpf/abi.h"

struct btf;

/* The number of arguments of a function, or of a tracepoint (without its own, which comes first);
 * -1: there is no such one. */
int kernel__function_args(const struct btf *btf, const char *function);
int kernel__tracepoint_args(const struct btf *btf, const char *tracepoint);

/* The value of an enumerator of any enum; -1: there is none. */
int kernel__enumerator(const struct btf *btf, const char *name);

/* Whether the programs for kernels from 6.2 on can be loaded (bpf/helpers.h). */
bool kernel__from_6_2(const struct btf *btf);

/* Sets in CFG all that depends on the kernel alone. */
void kernel__probe(struct capture_config *cfg, const struct btf *btf);

/* Whether programs on tracepoints can be preempted. */
bool kernel__preemptible(const struct btf *btf);

/* Whether no program on a tracepoint is run while process 1 runs. */
bool kernel__init_unseen(const struct btf *btf);

/* Whether programs may attach to functions. */
bool kernel__functions_allowed(const struct btf *btf);

/* Whether those on the returns of functions miss none. */
bool kernel__functions_exact(const struct btf *btf);

/* Whether the kernel's log would have a warning about our programs on classic tracepoints. */
bool kernel__classic_warns(const struct btf *btf);

/* Our process id as BPF programs see it. */
pid_t kernel__own_pid(void);

#endif
