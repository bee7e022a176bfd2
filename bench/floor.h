/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_FLOOR_H
#define IOTRC_FLOOR_H

#define FLOOR_RING (16 << 20) /* bytes */

#define FLOOR_CALLS 512 /* numbers of system calls: more than any architecture has */

/* A call that has begun. */
struct floor_call {
	unsigned long long start_ns; /* 0: none */
	long long nr;
};

/* The least that a recorder of reads has to say about one. Of another call, fd, size and offset are
 * its first, third and fourth argument. */
struct floor_record {
	unsigned long long ts_ns, duration_ns;
	unsigned int pid, tid;
	long long nr, ret;
	unsigned long long fd, size, offset;
};

_Static_assert(sizeof(struct floor_record) == 64, "the floor is 64 bytes a call");

#endif
