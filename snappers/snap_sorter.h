/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sorts any number of records in bounded memory: what doesn't fit goes to temporary files. */
#ifndef IOTRC_SNAP_SORTER_H
#define IOTRC_SNAP_SORTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SNAP_SORTER_MEMORY (32 * 1024 * 1024)

struct snap_sorter;

/* Sorts by ORDER (as memcmp does), records of one rank staying in no particular order. Temporary
 * files go to state directory DIR (src/base/state.h). STOP, asked now and then, ends long work with
 * -EINTR. MEMORY: bytes for records (0: SNAP_SORTER_MEMORY). 0, or a negative errno. */
int snap_sorter__new(struct snap_sorter **ret, int (*order)(const void *a, const void *b), int dir,
		     bool (*stop)(void *arg), void *arg, size_t memory);
int snap_sorter__add(struct snap_sorter *s, const void *record, uint32_t len);

/* The next record in order, valid until the next call; the first call ends the adding. 1; 0 at the
 * end; or a negative errno. */
int snap_sorter__next(struct snap_sorter *s, const void **ret_record, uint32_t *ret_len);
/* Frees it; NULL is allowed. Returns NULL. */
struct snap_sorter *snap_sorter__free(struct snap_sorter *s);

#endif
