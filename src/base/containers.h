/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine's containers: their cgroups (v2), names, images and runtimes.
 *
 * Rows contain only the id of a cgroup (`container_id`). The names of directories in the tree of
 * cgroups show which of them belong to containers of podman, docker, containerd (nerdctl,
 * Kubernetes) and CRI-O; base/container_names.h finds the rest.
 *
 * 	struct containers *all;
 *
 * 	containers__new(&all);
 * 	for (size_t i = 0; i < containers__count(all); i++)
 * 		if (container__is_called(containers__get(all, i), "web"))
 * 			use(containers__get(all, i)->cgroup);
 * 	containers__free(all);
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
/* The same for the tree of cgroups whose root is the directory TOP. */
int containers__new_at(struct containers **ret, const char *top);
/* Frees it; NULL is allowed. Returns NULL. */
struct containers *containers__free(struct containers *c);

/* Adds new containers, cgroups and names. Containers that have ended are kept, because rows refer
 * to them. Returns whether anything is new; *RET_ALL_NAMED: each running container has a name. */
bool containers__refresh(struct containers *c, bool *ret_all_named);

/* A descriptor that becomes readable when a cgroup is created that may be or contain a container;
 * borrowed. Negative: the system has none left, or does not support it. */
int containers__watch(struct containers *c);
/* Discards what made it readable. */
void containers__watched(struct containers *c);

/* Their number, and container I, in the order in which they were found. Pointers are valid until
 * the next refresh. */
size_t containers__count(const struct containers *c);
const struct container *containers__get(const struct containers *c, size_t i);

/* Returns the name of the container that CGROUP belongs to, or its id if the name is unknown; NULL
 * if it belongs to none. Valid until the next refresh. */
const char *containers__name(const struct containers *c, uint64_t cgroup);

/* The number of cgroups for which there was no room. */
uint64_t containers__left_out(const struct containers *c);

/* { "CGROUP ID": { "name", "image", "runtime", "id" }, ... } for each cgroup; what is unknown is
 * left out. For the caller to release; NULL: no memory. */
json_t *containers__json(const struct containers *c);

#endif
