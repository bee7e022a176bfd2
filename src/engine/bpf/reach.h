/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which instructions of a BPF program can be reached, given the memory that the kernel takes as
 * constant: the configuration. Numbers are followed through registers, from where they are loaded
 * to the branches that they decide; not through the stack or the arguments of functions. */
#ifndef IOTRC_REACH_H
#define IOTRC_REACH_H

#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>

/* A map that nobody can change: its descriptor in the instructions, and its contents. */
struct constants {
	int fd;
	const void *data;
	size_t size;
};

/* What is known of an instruction. */
enum reach {
	REACHED = 1 << 0, /* it may be executed */
	GOES_ON = 1 << 1, /* a jump: the next instruction may follow */
	JUMPS = 1 << 2,   /* a jump: its target may follow */
};

/* Returns the index of the instruction that the jump, or the call or address of a function, at I
 * leads to; -1: the instruction leads nowhere else. */
long reach__target(const struct bpf_insn *insns, size_t i);

/* Writes for each of the N instructions to RET what is known of it (enum reach), both halves of a
 * long one included. Returns -EINVAL if it meets an instruction that it does not know. */
int reach__find(const struct bpf_insn *insns, size_t n, const struct constants *constants,
		uint8_t *ret);

#endif
