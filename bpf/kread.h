/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading kernel memory. Since 6.2 bpf_rdonly_cast() gives an address a type, and what is read
 * through it is a plain load whose faults the JIT catches; before, each read is a helper call
 * (about 20 ns). cfg.rdonly_cast is constant at load time, so the verifier drops the other way.
 * Addresses are carried as u64: a value of zero reads as zero. */
#ifndef IOTRC_KREAD_H
#define IOTRC_KREAD_H

#include "kernel_types.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "bpf/records.h"
#include "schema/fs_ops.h"

const volatile struct capture_config cfg = {};

extern void *bpf_rdonly_cast(const void *obj, u32 btf_id) __ksym __weak;

#define kaddr(addr, type, field) ((addr) + bpf_core_field_offset(struct type, field))

/* The eight bytes at address ADDR. struct timespec64 stands for anything that begins with an
 * integer: the verifier lets nobody calculate with what it takes for a pointer, and a path's id
 * is calculated from addresses. */
static __always_inline u64 kread_u64(u64 addr)
{
	if (cfg.rdonly_cast) {
		return ((struct timespec64 *)bpf_rdonly_cast(
			(void *)addr, bpf_core_type_id_kernel(struct timespec64)))->tv_sec;
	} else {
		u64 value = 0;

		bpf_probe_read_kernel(&value, sizeof(value), (void *)addr);
		return value;
	}
}

/* A program's pointer. On arm64 its top byte may be a tag, which the processor passes over, and the kernel as well for
 * programs that have asked it to (Documentation/arm64/tagged-address-abi.rst): but not the helpers that read programs'
 * memory, nor is it in the tree of mappings. */
static __always_inline u64 untagged(u64 addr)
{
#if defined(__TARGET_ARCH_x86)
	return addr;
#else
	return addr & ~0ULL >> 8;
#endif
}

#if !defined(__TARGET_ARCH_x86)
#define bpf_probe_read_user(to, n, from) (bpf_probe_read_user)(to, n, (void *)untagged((u64)(from)))
#define bpf_probe_read_user_str(to, n, from) (bpf_probe_read_user_str)(to, n, (void *)untagged((u64)(from)))
#endif

#define POINTER_CLASS 5 /* what __builtin_classify_type() says of a pointer */

/* The integer or pointer FIELD of the struct TYPE at address ADDR, as u64. */
#define kread(addr, type, field)                                                            \
	({                                                                                  \
		u64 addr_ = (u64)(addr), value_;                                            \
		if (!cfg.rdonly_cast)                                                       \
			value_ = (u64)BPF_CORE_READ((struct type *)addr_, field);           \
		else if (__builtin_classify_type(((struct type *)0)->field) == POINTER_CLASS) \
			value_ = kread_u64(kaddr(addr_, type, field));                      \
		else                                                                        \
			value_ = (u64)((struct type *)bpf_rdonly_cast(                      \
				(void *)addr_, bpf_core_type_id_kernel(struct type)))->field; \
		value_;                                                                     \
	})

/* N, of which the compiler knows nothing: what bounds it is done where the verifier sees it, to the number itself.
 * Else the compiler leaves out what it knows to change nothing, or bounds a copy; up to 5.12 the verifier
 * forgets the bound of a number when its lower half is copied. */
static __always_inline u64 opaque(u64 n)
{
	asm volatile("" : "+r"(n));
	return n;
}

/* The current thread. Since 5.13 that is a pointer which the verifier trusts, and its fields are plain
 * loads; what asks for one has a pointer as its parameter, no number. */
static __always_inline struct task_struct *current_task(void)
{
	return cfg.task_storage ? bpf_get_current_task_btf() : (void *)bpf_get_current_task();
}

/* The address of TASK as a number. One that isn't the current thread's is met only where there are no such
 * pointers. */
static __always_inline u64 task_address(struct task_struct *task)
{
	return cfg.task_storage ? bpf_get_current_task() : (u64)task;
}

/* The integer or pointer FIELD of TASK, which current_task() has given. */
#define task_read(task, field) \
	(cfg.task_storage ? (u64)(task)->field : kread(task, task_struct, field))

#endif
