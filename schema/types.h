/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Integers of fixed width without any system header: BPF programs have no <stdint.h>. The types are
 * the same as __u8 to __s64 of Linux. */
#ifndef IOTRC_TYPES_H
#define IOTRC_TYPES_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed int s32;
typedef signed long long s64;

_Static_assert(sizeof(u16) == 2 && sizeof(u32) == 4 && sizeof(u64) == 8, "fixed widths");

#endif
