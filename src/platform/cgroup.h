/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_CGROUP_H
#define IOTRC_CGROUP_H

#include <limits.h>
#include <stdint.h>

/* Finds the directory on which cgroup v2 is mounted. Returns 0; -ENODEV: nowhere; or another
 * negative errno. */
int cgroup__mount(char ret_dir[PATH_MAX]);

/* Finds the id of the cgroup v2 NAME: a directory on a cgroup2 mount, a path below that mount as in
 * /proc/PID/cgroup, or a decimal id, which is taken as it is because the cgroup may not exist yet.
 * Returns 0; -ENOENT: there is no such cgroup; -ENODEV: cgroup v2 is not mounted; -EINVAL: it is
 * not a cgroup. */
int cgroup__id(const char *name, uint64_t *ret_id);

#endif
