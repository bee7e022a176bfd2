/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Hashing addresses and numbers into ids and keys. */
#ifndef IOTRC_BPF_HASH_H
#define IOTRC_BPF_HASH_H

#include "bpf/helpers.h"
#include "schema/types.h"

static __always_inline u64 mix(u64 hash, u64 value)
{
	hash = (hash ^ value) * 0x9e3779b97f4a7c15ULL;
	return hash ^ (hash >> 32);
}

#endif
