/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_FLOOR_H
#define IOTRC_FLOOR_H

#define FLOOR_RING (16 << 20) /* bytes */

/* The least that a recorder of reads has to say about one. */
struct floor_record {
	unsigned long long ts_ns, duration_ns;
	unsigned int pid, tid;
	long long nr, ret;
	unsigned long long fd, size, offset;
};

_Static_assert(sizeof(struct floor_record) == 64, "the floor is 64 bytes a call");

#endif
