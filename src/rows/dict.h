/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Definitions by their 64-bit ids, in bounded memory. Old definitions are forgotten by generation.
 * The kernel notices the new epoch and sends again the definitions that are in use, but an event
 * may still refer to the generation before: it remains readable. The one before that is what events
 * on their way may refer to, so it remains until these have been read. */
#ifndef IOTRC_DICT_H
#define IOTRC_DICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dict;

/* Creates a dictionary that is full() at MAX_BYTES (values and table) or MAX_ENTRIES. Returns 0, or
 * -ENOMEM. */
int dict__new(struct dict **ret, size_t max_entries, size_t max_bytes);
/* Frees it; NULL is allowed. Returns NULL. */
struct dict *dict__free(struct dict *d);

/* Returns SIZE bytes, 8-aligned, for the value of ID in the youngest generation, in place of an
 * older value. Returns NULL if out of memory, or if twice the bounds are reached. */
void *dict__put(struct dict *d, uint64_t id, size_t size);

/* Returns the value of ID, or NULL. It is valid until the second dict__forget() from now, and the
 * dict__drop() after that. */
void *dict__get(const struct dict *d, uint64_t id);

/* Says that ID will probably be put or got soon. What is remembered of it is fetched into the
 * cache, its value during one of the next calls. */
void dict__expect(struct dict *d, uint64_t id);

/* Whether a bound is reached: the caller should raise the epoch and call dict__forget(), and
 * dict__drop() when the events of before have been read. */
bool dict__full(const struct dict *d);
void dict__forget(struct dict *d);
void dict__drop(struct dict *d);

#endif
