/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which processes descend from one, on a system that gives each process an id that is never used
 * again, and keeps the id of its first parent. */
#ifndef IOTRC_FAMILY_H
#define IOTRC_FAMILY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define FAMILY_MAX (1 << 20) /* members, ended ones included */

struct family_member {
	uint64_t id;
	pid_t pid;
};

/* A zeroed struct has no member. */
struct family {
	struct family_member *members; /* in the order in which they were added */
	uint64_t *ids;                 /* theirs, ascending */
	size_t n, capacity;
	bool full; /* a member is missing because there was no room */
};

/* Adds the process from which the others descend. */
void family__begin(struct family *f, pid_t pid, uint64_t id);

/* Adds process PID with ID, if PARENT is the id of a member and it is not one yet. Returns whether
 * it was added. */
bool family__learn(struct family *f, pid_t pid, uint64_t id, uint64_t parent);

/* Whether the process with ID is a member. */
bool family__has(const struct family *f, uint64_t id);

/* Frees the members; it has none then. */
void family__clear(struct family *f);

#endif
