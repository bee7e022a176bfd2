/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Removes from a program what the configuration makes unreachable, before the kernel's verifier
 * does: that removes one run of instructions at a time, and moves all that follows each time
 * (kernel/bpf/fixups.c, before 7.0 kernel/bpf/verifier.c). Before 6.8 it also verifies global
 * functions that nobody calls. */
#ifndef IOTRC_TRIM_H
#define IOTRC_TRIM_H

#include <linux/bpf.h>
#include <stddef.h>

#include "engine/bpf/reach.h"

/* A program with what the kernel is told of it, in the order of its instructions. */
struct code {
	struct bpf_insn *insns;
	struct bpf_func_info *functions;
	struct bpf_line_info *lines;
	size_t n, n_functions, n_lines;
};

/* Frees what it has. */
void code__clear(struct code *code);

/* Removes instructions, functions and lines in place. Leaves CODE as it is if it has instructions
 * unknown to reach__find(). Returns 0 or -ENOMEM. */
int trim__code(struct code *code, const struct constants *constants);

#endif
