/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reading kernel memory. Since 6.2 bpf_rdonly_cast() gives an address a type, and a read is a plain
 * load, whose faults the JIT catches. On older kernels each read is a helper call (about 20 ns).
 * Addresses are passed as u64. A fault reads as zero. */
#ifndef IOTRC_BPF_KREAD_H
#define IOTRC_BPF_KREAD_H

#include "bpf/cfg.h"
#include "bpf/helpers.h"
#include "bpf/kernel_types.h"

extern void *bpf_rdonly_cast(const void *obj, u32 btf_id) __ksym __weak;

#define kaddr(addr, type, field) ((addr) + bpf_core_field_offset(struct type, field))

/* The eight bytes at address ADDR. struct timespec64 stands for any struct that begins with an
 * integer: the verifier refuses arithmetic on what it takes for a pointer, and the id of a path is
 * computed from addresses. */
static __always_inline u64 kread_u64(u64 addr)
{
	if (FROM_6_2) {
		return ((volatile struct timespec64 *)bpf_rdonly_cast(
				(void *)addr, bpf_core_type_id_kernel(struct timespec64)))
			->tv_sec;
	} else {
		u64 value = 0;

		bpf_probe_read_kernel(&value, sizeof(value), (void *)addr);
		return value;
	}
}

/* The words from address ADDR on, for kernels from 6.2 on: one cast for all of them. To the
 * compiler a cast is a call, after which few registers keep their values. struct rusage stands for
 * any struct of nothing but integers of eight bytes: it has 18. */
static __always_inline const volatile u64 *kwords(u64 addr)
{
	return bpf_rdonly_cast((void *)addr, bpf_core_type_id_kernel(struct rusage));
}

#define POINTER_CLASS 5 /* __builtin_classify_type() of a pointer */

/* The integer or pointer FIELD of the struct TYPE at address ADDR, as u64. */
#define kread(addr, type, field) \
	({ \
		u64 addr_ = (u64)(addr), value_; \
		if (!FROM_6_2) \
			value_ = (u64)BPF_CORE_READ((struct type *)addr_, field); \
		else if (__builtin_classify_type(((struct type *)0)->field) == POINTER_CLASS) \
			value_ = kread_u64(kaddr(addr_, type, field)); \
		else \
			value_ = (u64)((volatile struct type *)bpf_rdonly_cast( \
					       (void *)addr_, \
					       bpf_core_type_id_kernel(struct type))) \
					 ->field; \
		value_; \
	})

/* Argument number N of the context CTX, as a number: the verifier refuses arithmetic on what it
 * takes for a pointer. */
static __always_inline u64 argument(void *ctx, u32 n)
{
	u64 value = 0;

	bpf_probe_read_kernel(&value, sizeof(value), (u64 *)ctx + n);
	return value;
}

/* The address that P is, as a number: the verifier lets no pointer to kernel memory into a global
 * function. */
static __always_inline u64 as_number(const void *p)
{
	u64 value = 0;

	bpf_probe_read_kernel(&value, sizeof(value), &p);
	return value;
}

/* N, with its value hidden from the compiler, so that a check for the verifier is kept and applied
 * to N itself. Otherwise the compiler drops a check that it can prove redundant, or applies it to a
 * copy. Up to 5.12 the verifier forgets the bound of a number when its lower half is copied. */
static __always_inline u64 opaque(u64 n)
{
	asm volatile("" : "+r"(n));
	return n;
}

#endif
