/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names and images of containers, as their runtimes keep them in files. No daemon is asked. */
#ifndef IOTRC_CONTAINER_NAMES_H
#define IOTRC_CONTAINER_NAMES_H

#include "base/container.h"

/* Fills the name, image and (where the cgroup did not tell) runtime of C, as far as they are known.
 * CGROUP_DIR is the directory of its topmost cgroup: what the parent of its processes was started
 * with says where the runtime keeps its files, if these are not where they are by default. */
void container_names__find(struct container *c, const char *cgroup_dir);

#endif
