/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* libbpf's headers for BPF programs. They leave it to the includer to bring the kernel's types
 * first, so they are included from here alone. */
#ifndef IOTRC_BPF_HELPERS_H
#define IOTRC_BPF_HELPERS_H

#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

/* The programs are compiled twice (Makefile): with FROM_6_2 as 1 for kernels from 6.2 on, and as 0
 * for older ones. Those for 6.2 read kernel memory without a helper call (bpf/kread.h), keep the
 * state of threads in task storage, and pass pointers to functions that are verified once. A
 * program with both variants would be twice the work for the verifier. */
#ifndef FROM_6_2
#define FROM_6_2 0
#endif

/* A function that the verifier goes through once, rather than once per call. It takes numbers, and
 * pointers to memory of a known size that may be written. Before 5.12 such a function takes
 * numbers alone: for kernels before 6.2 these functions are static, and verified once per call. */
#if FROM_6_2
#define __subprog __noinline
#else
#define __subprog static __noinline
#endif

/* The eight bytes at TEXT, at any address. The compiler, which does not know what the processor can
 * do, would read them one by one. */
static __always_inline __u64 eight_bytes_at(const char *text)
{
	asm volatile("" : "+r"(text));
	return *(const __u64 *)text;
}

/* Eight characters, with all after a NUL cleared. */
static __always_inline __u64 until_nul(__u64 text)
{
	__u64 nuls = (text - 0x0101010101010101ULL) & ~text & 0x8080808080808080ULL;

	return nuls ? text & (((nuls & -nuls) >> 7) - 1) : text;
}

#endif
