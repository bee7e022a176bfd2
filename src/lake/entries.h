/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A sorted list of keys, each with a text. */
#ifndef IOTRC_ENTRIES_H
#define IOTRC_ENTRIES_H

#include <stddef.h>
#include <stdint.h>

struct entry {
	char *key, *text;
	uint64_t n;
	uint64_t seen; /* for the caller */
};

struct entries {
	struct entry *at;
	size_t n, capacity;
};

/* Adds an entry; KEY and TEXT are copied. 0, or -ENOMEM. */
int entries__add(struct entries *e, const char *key, const char *text, uint64_t n);

/* Sorts by key and merges equal keys: their N are added up, the first text is kept, and `seen` is
 * their number. */
void entries__unite(struct entries *e);

/* The entry of KEY in sorted entries, or NULL. */
struct entry *entries__find(struct entries *e, const char *key);

/* Frees what E holds. */
void entries__clear(struct entries *e);

#endif
