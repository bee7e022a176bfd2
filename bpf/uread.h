/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reading the memory of a program.
 *
 * With CONFIG_HARDENED_USERCOPY the kernel finds out what the memory is that it copies to, and its
 * own stack is what it recognizes the soonest. Since 6.13 the stack of a function with 64 bytes of
 * it or more is elsewhere (BPF_PRIV_STACK_MIN_SIZE). So what is often read is read into the stack
 * of a small function. */
#ifndef IOTRC_BPF_UREAD_H
#define IOTRC_BPF_UREAD_H

#include "bpf/helpers.h"
#include "bpf/kernel_types.h"
#include "schema/types.h"

/* A pointer of the program, without its tag. On arm64 the top byte may be a tag, which the
 * processor ignores, and so does the kernel for programs that ask for it
 * (Documentation/arm64/tagged-address-abi.rst). The BPF helpers that read user memory do not ignore
 * it, and the tree of mappings has no tags. */
static __always_inline u64 untagged(u64 addr)
{
#if defined(__TARGET_ARCH_x86)
	return addr;
#else
	return addr & ~0ULL >> 8;
#endif
}

#define EFAULT 14       /* include/uapi/asm-generic/errno-base.h */
#define NULL_BYTES 4096 /* no program has memory here, as far as vm.mmap_min_addr is obeyed */

/* Whether FROM is a null pointer, perhaps with the offset of a field. Calls are often given one: a
 * time that is not to be set, an address that is not wanted. Reading there costs a page fault,
 * which takes longer than all else that is done about the call. */
static __always_inline bool is_null(u64 from)
{
	return untagged(from) < NULL_BYTES;
}

/* Reads N bytes at address FROM into TO. Returns 0 or a negative errno. TO is left as it is if FROM
 * is a null pointer, and may have been cleared if there is another error. */
static __always_inline long uread(void *to, u32 n, u64 from)
{
	if (n && is_null(from))
		return -EFAULT;
	return bpf_probe_read_user(to, n, (void *)untagged(from));
}

/* Reads a string of at most N bytes, its NUL included. Returns the number of bytes, or a negative
 * errno, with TO as above. */
static __always_inline long uread_str(char *to, u32 n, u64 from)
{
	return is_null(from) ? -EFAULT : bpf_probe_read_user_str(to, n, (void *)untagged(from));
}

#endif
