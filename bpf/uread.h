/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reading the memory of a program. */
#ifndef IOTRC_BPF_UREAD_H
#define IOTRC_BPF_UREAD_H

#include "bpf/helpers.h"
#include "schema/types.h"

/* A program's pointer. On arm64 its top byte may be a tag, which the processor passes over, and the
 * kernel as well for programs that have asked it to (Documentation/arm64/tagged-address-abi.rst):
 * but not the helpers that read programs' memory, nor is it in the tree of mappings. */
static __always_inline u64 untagged(u64 addr)
{
#if defined(__TARGET_ARCH_x86)
	return addr;
#else
	return addr & ~0ULL >> 8;
#endif
}

/* N bytes at address FROM into TO; 0, or a negative errno. */
#define uread(to, n, from) bpf_probe_read_user(to, n, (void *)untagged(from))

/* A string that ends in NUL, of at most N bytes with it; the number of bytes, or a negative
 * errno. */
#define uread_str(to, n, from) bpf_probe_read_user_str(to, n, (void *)untagged(from))

#endif
