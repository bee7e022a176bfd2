/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The mounts of this mount namespace, and which of them a walk over all files has to begin at. */
#ifndef IOTRC_SNAP_MOUNT_LIST_H
#define IOTRC_SNAP_MOUNT_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define MOUNT_LIST_MAX 8192

struct mount_info {
	uint64_t id, parent;
	uint32_t major, minor;
	char *root; /* what of the filesystem is mounted */
	char *path, *type, *source;
	char *options; /* of the mount and of the filesystem, none twice */
	bool real;     /* storage lies behind it, or memory that holds files (tmpfs) */
	bool network;  /* … on another machine, for all that is known */
	bool hidden;   /* mounted over; by mount_list__choose() */
	bool chosen;   /* by mount_list__choose() */
};

struct mount_list {
	struct mount_info *list; /* as the kernel lists them: a mount before those on it */
	size_t n;
};

/* Parses FILE, a mountinfo (proc(5)). 0, or a negative errno. */
int mount_list__read(struct mount_list *ret, FILE *file);
/* Of the mounts of one filesystem those that cover it with the least overlap: bind mounts of what
 * is reached elsewhere are left out. NETWORK: network filesystems, too. */
void mount_list__choose(struct mount_list *m, bool network);
/* The mount that absolute PATH lies in, as far as names tell, or NULL. */
const struct mount_info *mount_list__of(const struct mount_list *m, const char *path);
/* Frees the contents. */
void mount_list__clear(struct mount_list *m);

#endif
