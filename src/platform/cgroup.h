/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_CGROUP_H
#define IOTRC_CGROUP_H

#include <stdint.h>

/* The id of the cgroup v2 NAME: a directory on a cgroup2 mount, a path below that mount as
 * /proc/PID/cgroup writes it, or the id itself in decimal (taken as it is: the cgroup may not exist
 * yet). 0; -ENOENT: no such cgroup; -ENODEV: cgroup v2 is not mounted; -EINVAL: not a cgroup. */
int cgroup__id(const char *name, uint64_t *ret_id);

#endif
