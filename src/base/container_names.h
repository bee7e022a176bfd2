/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names and images of containers, as their runtimes keep them in files. No daemon is asked. */
#ifndef IOTRC_CONTAINER_NAMES_H
#define IOTRC_CONTAINER_NAMES_H

#include <stddef.h>

#include "base/container.h"

#define CONTAINER_STORAGES_MAX 8
#define CONTAINER_STORAGE_LEN 512

/* Files of containers/storage that are not where they are by default, as far as they were found: a
 * container that ends at once may be looked for there. Zeroed, it has none. */
struct container_storages {
	size_t n;
	char paths[CONTAINER_STORAGES_MAX][CONTAINER_STORAGE_LEN];
};

/* Fills the name, image and (where the cgroup did not tell) runtime of C, as far as they are known.
 * CGROUP_DIR is the directory of its topmost cgroup: what the parent of its processes was started
 * with says where the runtime keeps its files, if these are not where they are by default. */
void container_names__find(struct container *c, const char *cgroup_dir,
			   struct container_storages *storages);

#endif
