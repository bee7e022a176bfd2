/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reading end of a CPU's lane (bpf/lane.h), a circular array that the kernel's programs write.
 * Its places have the size of a struct rec_fs; a struct rec_fs_long takes several. It is read like
 * a ring (ring.h). */
#ifndef IOTRC_LANE_H
#define IOTRC_LANE_H

#include <stddef.h>
#include <stdint.h>

#include "engine/bpf/ring.h"
#include "schema/types.h"

struct lane;

/* Opens the lane of CPU, of N_PLACES, in the map of all lanes MAP_FD. PUT and TAKEN are the
 * counters of both sides. All are borrowed. Returns 0, or a negative errno. */
int lane__new(struct lane **ret, int map_fd, unsigned int cpu, size_t n_places, const u64 *put,
	      u64 *taken);
/* Frees it; NULL is allowed. Returns NULL. */
struct lane *lane__free(struct lane *l);

/* The current position of the kernel's programs. */
uint64_t lane__end(struct lane *l);

/* The number of places that wait to be read, and the capacity. */
size_t lane__waiting(struct lane *l);
size_t lane__size(const struct lane *l);

/* Passes each record before END to SINK and releases its space, up to the first one later than
 * UNTIL_NS, or that cannot be mapped for lack of memory. */
void lane__drain(struct lane *l, uint64_t end, uint64_t until_ns, const struct ring_sink *sink);

/* Gives memory of the lane back that has not been read since the last call. */
void lane__trim(struct lane *l);

#endif
