/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sorts any number of records in bounded memory, with temporary files. */
#ifndef IOTRC_SNAP_SORTER_H
#define IOTRC_SNAP_SORTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SNAP_SORTER_MEMORY (32 * 1024 * 1024)

struct snap_sorter;

/* ORDER compares two records, as memcmp() does; equal records come in any order. Temporary files go
 * to the state directory DIR (src/base/state.h). STOP is called now and then; true ends long work
 * with -EINTR. MEMORY: bytes for records (0: SNAP_SORTER_MEMORY). 0, or a negative errno. */
int snap_sorter__new(struct snap_sorter **ret, int (*order)(const void *a, const void *b), int dir,
		     bool (*stop)(void *arg), void *arg, size_t memory);
int snap_sorter__add(struct snap_sorter *s, const void *record, uint32_t len);

/* Gets the next record in order, valid until the next call. No record can be added after the first
 * call. 1; 0 at the end; or a negative errno. */
int snap_sorter__next(struct snap_sorter *s, const void **ret_record, uint32_t *ret_len);
/* Frees it; NULL is allowed. Returns NULL. */
struct snap_sorter *snap_sorter__free(struct snap_sorter *s);

#endif
