/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pairs of a key and a value on the disk, in runs that are sorted by key. A later run's pair
 * replaces those of earlier runs. Memory: 16 MiB, and one key for each PAIR_BLOCK pairs. Used by
 * one thread at a time. */
#ifndef IOTRC_PAIR_RUNS_H
#define IOTRC_PAIR_RUNS_H

#include <stddef.h>
#include <stdint.h>

/* Read at once: 4 KiB. */
#define PAIR_BLOCK 256

struct pair {
	uint64_t key, value;
};

struct pair_runs;

/* Frees them, and what is on the disk; NULL is allowed. Returns NULL. */
struct pair_runs *pair_runs__free(struct pair_runs *r);

/* Adds the N > 0 pairs of SORTED, whose keys ascend, as a run of *R, which is allocated if it is
 * NULL. Merges runs of similar size. Returns 0, or a negative errno. */
int pair_runs__add(struct pair_runs **r, const struct pair *sorted, size_t n);

/* Gets the value of KEY. Returns 1, 0 if there is none, or a negative errno. R may be NULL. */
int pair_runs__find(const struct pair_runs *r, uint64_t key, uint64_t *ret);

#endif
