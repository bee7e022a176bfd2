/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sorts any number of records in bounded memory: what doesn't fit is sorted in runs on the disk
 * (in $TMPDIR or /tmp, without a name), which are merged. Used by one thread at a time. */
#ifndef IOTRC_SORTER_H
#define IOTRC_SORTER_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of a record. */
#define SORTER_RECORD_MAX (2 * 1024 * 1024)

struct sorter;

/* MEMORY: bytes of records that are kept before a run goes to the disk; at least
 * SORTER_RECORD_MAX. 0, or -ENOMEM. */
int sorter__new(struct sorter **ret, size_t memory);
/* Frees it; NULL is allowed. Returns NULL. */
struct sorter *sorter__free(struct sorter *s);

/* Copies a record. 0, or a negative errno: of the disk, -E2BIG for a record that is too long,
 * -EFBIG when there are too many runs. */
int sorter__add(struct sorter *s, uint64_t key, const void *data, size_t len);

/* The next record, by ascending key; of the same key in the order in which they came. Nothing can
 * be added after the first call. *RET_DATA is valid until the next call. 1, 0 at the end, or a
 * negative errno. */
int sorter__next(struct sorter *s, uint64_t *ret_key, const void **ret_data, size_t *ret_len);

#endif
