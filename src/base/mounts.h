/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is mounted where, for what the kernel side can't say: of an operation on an open file it
 * knows the filesystem; of a path that was only asked for there is nothing but the path. */
#ifndef IOTRC_MOUNTS_H
#define IOTRC_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mounts;

/* Reads /proc/self/mountinfo; where there is no such file (not Linux) nothing is known of any
 * path. 0, or a negative errno. */
int mounts__new(struct mounts **ret);
/* Frees it; NULL is allowed. Returns NULL. */
struct mounts *mounts__free(struct mounts *m);

/* Reads it anew when the kernel says that it has changed. */
void mounts__refresh(struct mounts *m);

/* Whether filesystem TYPE is of the kernel's own making: no storage lies behind it. */
bool mounts__pseudo_type(const char *type);

/* The same of one that is mounted at PATH: devices lie in /dev even where that is a tmpfs, as in
 * containers and in services that see only some of them. */
bool mounts__pseudo_at(const char *type, const char *path);

/* Whether absolute PATH lies on such a one, as this mount namespace has them mounted. */
bool mounts__pseudo_path(const struct mounts *m, const char *path, size_t len);

/* Type of the filesystem with device DEV (major << 20 | minor), or NULL: as a CSV field, since who
 * mounts by FUSE names the part behind "fuse." */
const char *mounts__type(const struct mounts *m, uint32_t dev);

#endif
