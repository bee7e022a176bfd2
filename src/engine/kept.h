/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file of records that `iotrc dev --keep-records` writes (keep.c) and `iotrc dev --replay`
 * reads (replay/): a head, then entries in the order in which the reader received them. Integers
 * have the byte order of the machine that wrote it, and structs its compiler's layout; the head
 * contains enough to refuse any other. */
#ifndef IOTRC_KEPT_H
#define IOTRC_KEPT_H

#include "rows/reqnames.h"
#include "schema/records.h"
#include "schema/types.h"

#define KEPT_MAGIC "iotrcrec"
#define KEPT_VERSION 1
#define KEPT_ORDER 0x01020304
#define KEPT_ALIGN 8 /* alignment of entries in bytes */
#define KEPT_RECORD_MAX (64 * 1024)

struct kept_head {
	char magic[8];
	u32 version;
	u32 order;                   /* KEPT_ORDER */
	u32 sizes[RECORD_TYPES_MAX]; /* of each type's struct; 0: there is no such type */
	struct reqnames names;       /* of block requests, on that kernel */
};

enum kept_kind {
	KEPT_DEFINITION = 1,
	KEPT_EVENT,
	KEPT_CLOCK, /* struct kept_clock */
};

/* Precedes each record, which is padded with zeros to KEPT_ALIGN. */
struct kept_entry {
	u32 size; /* of the record, without the padding */
	u32 kind;
};

/* The wall clock from mono_ns on. */
struct kept_clock {
	u64 mono_ns;
	s64 offset_ns;
};

_Static_assert(sizeof(struct kept_head) % KEPT_ALIGN == 0, "entries are aligned");
_Static_assert(sizeof(struct kept_entry) % KEPT_ALIGN == 0, "and so are records");

/* The head of a file that this program writes. */
extern const u32 kept_sizes[RECORD_TYPES_MAX];

#endif
