/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A table of groups by key, of bounded size: exact as long as all groups fit, and beyond that the
 * heavy ones with a bound on what they may lack (Misra and Gries). Each group has a value of the
 * caller's. Used by one thread at a time.
 *
 * A full table drops its lighter half. Whatever was dropped weighed at most groups__floor(), and a
 * group that is new, or new again, may lack that much: its true weight is at least WEIGHT and at
 * most WEIGHT + LACKS. The floor is at most 2 / max_groups of all the weight. */
#ifndef IOTRC_GROUPS_H
#define IOTRC_GROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct group {
	uint64_t weight; /* the caller adds to it */
	uint64_t lacks;  /* at most this much of it was dropped earlier */
	size_t bytes;    /* memory that the caller's value owns: groups__charge() */
	void *value;     /* value_size bytes, zeroed in a new group */
	const char *key; /* KEY_LEN bytes, not NUL-terminated */
	uint32_t key_len;
	uint32_t hash;
};

struct groups_config {
	size_t value_size;
	size_t max_groups; /* at least 2 */
	/* of keys, values, and charged memory; exceeded by one group at most; 3 groups always
	 * fit */
	size_t max_bytes;
	/* Called for a group that is dropped, or freed with the table (AT_END), to free what its
	 * value owns and to add it to a rest. May be NULL. */
	void (*drop)(void *arg, struct group *group, bool at_end);
	void *arg;
};

struct groups;

/* Returns 0, or -ENOMEM. CONFIG is copied. */
int groups__new(struct groups **ret, const struct groups_config *config);

/* Frees it; NULL is allowed. Returns NULL. */
struct groups *groups__free(struct groups *g);

/* Returns the group of KEY, which is copied, and creates it if necessary; NULL if out of memory.
 * Valid until the next call, which may drop the group. */
struct group *groups__at(struct groups *g, const char *key, size_t len);

/* Returns the group of KEY, or NULL if there is none. Valid as above. */
struct group *groups__find(const struct groups *g, const char *key, size_t len);

/* Reports that the value of GROUP owns BYTES more, or fewer if negative. */
void groups__charge(struct groups *g, struct group *group, ptrdiff_t bytes);

/* The number of groups, and group I (from 0 on), in no particular order. */
size_t groups__count(const struct groups *g);
struct group *groups__get(const struct groups *g, size_t i);

/* The maximum weight of a group that is not in the table; 0: none was dropped. */
uint64_t groups__floor(const struct groups *g);

/* How often a group was dropped. */
uint64_t groups__dropped(const struct groups *g);

/* Bytes of keys, values, and charged memory. */
size_t groups__bytes(const struct groups *g);

/* Adds the groups of FROM, which stays unchanged: weights are added here, values by ADD_VALUE
 * (NULL: not at all; an error ends it). WEIGHT and LACKS then bound each group's weight in both
 * tables together. */
int groups__merge(struct groups *g, const struct groups *from,
		  int (*add_value)(void *arg, struct group *to, const struct group *from),
		  void *arg);

#endif
