/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Definitions by their 64-bit ids, in bounded memory. It forgets by generations: what is forgotten
 * stays findable for one more generation, while events on their way may still carry its id and the
 * kernel, told by its epoch, sends anew what is in use. */
#ifndef IOTRC_DICT_H
#define IOTRC_DICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dict;

/* A dictionary that is full() at MAX_BYTES, of values and of the table, or MAX_ENTRIES. 0, or
 * -ENOMEM. */
int dict__new(struct dict **ret, size_t max_entries, size_t max_bytes);
/* Frees it; NULL is allowed. Returns NULL. */
struct dict *dict__free(struct dict *d);

/* Room of SIZE bytes, 8-aligned, for the value of ID in the youngest generation, in place of an
 * older value. NULL when memory is out or twice the bounds are reached. */
void *dict__put(struct dict *d, uint64_t id, size_t size);

/* The value of ID, valid until the second dict__forget() from now, or NULL. */
void *dict__get(const struct dict *d, uint64_t id);

/* A bound is reached: time to raise the epoch and forget. */
bool dict__full(const struct dict *d);
void dict__forget(struct dict *d);

#endif
