/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A queue of records, first in first out, that lies on the disk but for its two ends. */
#ifndef IOTRC_SNAP_SPOOL_H
#define IOTRC_SNAP_SPOOL_H

#include <stddef.h>
#include <stdint.h>

struct spool;

/* In state directory DIR. 0, or a negative errno. */
int spool__new(struct spool **ret, int dir);
/* 0, or a negative errno. */
int spool__put(struct spool *s, const void *record, uint32_t len);
/* The first record, taken off; valid until the next call of any function. 1; 0 when there is none;
 * or a negative errno. */
int spool__take(struct spool *s, const void **ret_record, uint32_t *ret_len);
/* Frees it; NULL is allowed. Returns NULL. */
struct spool *spool__free(struct spool *s);

#endif
