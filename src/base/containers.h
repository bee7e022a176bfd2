/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine's containers: which cgroups (v2) are theirs, what they are called, and what they run.
 *
 * Rows know a container by its cgroup's id alone (`container_id`). The tree of cgroups tells which
 * of them belong to containers of podman, docker, containerd (nerdctl, Kubernetes) and CRI-O, by
 * the names that these give to directories; base/container_names.h finds the rest.
 *
 *	struct containers *all;
 *
 *	containers__new(&all);
 *	for (size_t i = 0; i < containers__count(all); i++)
 *		if (container__is_called(containers__get(all, i), "web"))
 *			use(containers__get(all, i)->cgroup);
 *	containers__free(all);
 *
 * For one thread at a time. */
#ifndef IOTRC_CONTAINERS_H
#define IOTRC_CONTAINERS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/container.h"

#define CONTAINERS_MAX 4096
#define CONTAINERS_CGROUPS_MAX 32768 /* of all of them together */

struct containers;

/* Finds all running containers. Returns 0; -ENODEV: cgroup v2 is not mounted; or another negative
 * errno. */
int containers__new(struct containers **ret);
/* Frees it; NULL is allowed. Returns NULL. */
struct containers *containers__free(struct containers *c);

/* Looks again: adds new containers, cgroups and names. Those that have ended are kept, because rows
 * are about them. Returns whether anything is new; *RET_ALL_NAMED: each running container has a
 * name. */
bool containers__refresh(struct containers *c, bool *ret_all_named);

/* A descriptor that becomes readable when a cgroup has been created next to a container, or may
 * contain one; borrowed. Negative: the system has none left, or doesn't offer it. */
int containers__watch(struct containers *c);
/* Discards what made it readable. */
void containers__watched(struct containers *c);

/* In the order in which they were found. Pointers are valid until the next refresh. */
size_t containers__count(const struct containers *c);
const struct container *containers__get(const struct containers *c, size_t i);

/* Returns the name of the container that CGROUP belongs to, or its id where the name is unknown;
 * NULL: it is none's. Valid until the next refresh. */
const char *containers__name(const struct containers *c, uint64_t cgroup);

/* How many there were no room for. */
uint64_t containers__left_out(const struct containers *c);

/* { "CGROUP ID": { "name", "image", "runtime", "id" }, ... } for each cgroup; what is unknown is
 * left out. For the caller to release; NULL: no memory. */
json_t *containers__json(const struct containers *c);

#endif
