/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reading end of a CPU's lane of short records (bpf/lane.h): an array that the kernel's
 * programs go round in. Read as a ring is (ring.h). */
#ifndef IOTRC_LANE_H
#define IOTRC_LANE_H

#include <stddef.h>
#include <stdint.h>

#include "engine/bpf/ring.h"
#include "schema/types.h"

struct lane;

/* The lane of CPU, of N_RECORDS, in the map of all lanes behind MAP_FD. PUT and TAKEN are the
 * counters of both sides. All are borrowed. 0, or a negative errno. */
int lane__new(struct lane **ret, int map_fd, unsigned int cpu, size_t n_records, const u64 *put,
	      u64 *taken);
/* Frees it; NULL is allowed. Returns NULL. */
struct lane *lane__free(struct lane *l);

/* Where the kernel's programs are now. */
uint64_t lane__end(struct lane *l);

/* Records that wait to be read, and that it has room for. */
size_t lane__waiting(struct lane *l);
size_t lane__size(const struct lane *l);

/* Hands each record in front of END to RECORD and frees its room, up to the first that is later
 * than UNTIL_NS. */
void lane__drain(struct lane *l, uint64_t end, uint64_t until_ns, ring_record record, void *arg);

#endif
