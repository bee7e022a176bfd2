/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sorts any number of records in bounded memory: sorted runs are written to disk (in $TMPDIR or
 * /tmp, unnamed) and merged. Used by one thread at a time. */
#ifndef IOTRC_SORTER_H
#define IOTRC_SORTER_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of a record. */
#define SORTER_RECORD_MAX (2 * 1024 * 1024)

struct sorter;

/* MEMORY: bytes of records that are kept before a run is written to disk; at least
 * SORTER_RECORD_MAX. Returns 0, or -ENOMEM. */
int sorter__new(struct sorter **ret, size_t memory);
/* Frees it; NULL is allowed. Returns NULL. */
struct sorter *sorter__free(struct sorter *s);

/* Adds a copy of a record. Returns 0, or a negative errno: of the disk, -E2BIG if the record is too
 * long, -EFBIG if there are too many runs. */
int sorter__add(struct sorter *s, uint64_t key, const void *data, size_t len);

/* Gets the next record by ascending key; records with the same key in the order of arrival. Nothing
 * can be added after the first call. *RET_DATA is valid until the next call. Returns 1, 0 at the
 * end, or a negative errno. */
int sorter__next(struct sorter *s, uint64_t *ret_key, const void **ret_data, size_t *ret_len);

#endif
