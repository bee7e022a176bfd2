/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is mounted where. For an operation on an open file the kernel reports the filesystem; for a
 * path that was only requested there is nothing but the path. */
#ifndef IOTRC_MOUNTS_H
#define IOTRC_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mounts;

/* Reads /proc/self/mountinfo; if there is no such file (not Linux), nothing is known about any
 * path. Returns 0, or a negative errno. */
int mounts__new(struct mounts **ret);
/* Frees it; NULL is allowed. Returns NULL. */
struct mounts *mounts__free(struct mounts *m);

/* Reads it again if the kernel reports that it has changed. */
void mounts__refresh(struct mounts *m);

/* Whether TYPE is a pseudo filesystem: it has no storage. */
bool mounts__pseudo_type(const char *type);

/* The same for a filesystem mounted at PATH. /dev counts as one even if it is a tmpfs, as in
 * containers and in services that see only some devices. */
bool mounts__pseudo_at(const char *type, const char *path);

/* Whether absolute PATH is on a pseudo filesystem in this mount namespace. */
bool mounts__pseudo_path(const struct mounts *m, const char *path, size_t len);

/* Type of the filesystem with device DEV (major << 20 | minor), or NULL. It is a CSV field,
 * escaped: users choose the part behind "fuse.". */
const char *mounts__type(const struct mounts *m, uint32_t dev);

#endif
