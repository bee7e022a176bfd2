/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names and images of containers, from files of their runtimes. No daemon is asked. */
#ifndef IOTRC_CONTAINER_NAMES_H
#define IOTRC_CONTAINER_NAMES_H

#include <stddef.h>

#include "base/container.h"

#define CONTAINER_STORAGES_MAX 8
#define CONTAINER_STORAGE_LEN 512

/* The files of containers/storage that were found outside their default places: a container that
 * ends at once is looked up in these too. A zeroed struct has none. */
struct container_storages {
	size_t n;
	char paths[CONTAINER_STORAGES_MAX][CONTAINER_STORAGE_LEN];
};

/* Fills the name, the image and (if its cgroup does not show it) the runtime of C, as far as they
 * are known. CGROUP_DIR is the directory of its topmost cgroup: the arguments of the parent of its
 * processes say where the runtime keeps its files, if these are not in their default places. */
void container_names__find(struct container *c, const char *cgroup_dir,
			   struct container_storages *storages);

#endif
