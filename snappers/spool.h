/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A first-in first-out queue of records. Its middle is stored on disk. */
#ifndef IOTRC_SNAP_SPOOL_H
#define IOTRC_SNAP_SPOOL_H

#include <stddef.h>
#include <stdint.h>

struct spool;

/* Creates it in state directory DIR. 0, or a negative errno. */
int spool__new(struct spool **ret, int dir);
/* Appends a record. 0, or a negative errno. */
int spool__put(struct spool *s, const void *record, uint32_t len);
/* Removes the first record and gets it, valid until the next call of any function. 1; 0 if the
 * queue is empty; or a negative errno. */
int spool__take(struct spool *s, const void **ret_record, uint32_t *ret_len);
/* Frees it; NULL is allowed. Returns NULL. */
struct spool *spool__free(struct spool *s);

#endif
