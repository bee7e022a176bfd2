/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The mounts of this mount namespace, and those at which a walk over all files starts. */
#ifndef IOTRC_SNAP_MOUNT_LIST_H
#define IOTRC_SNAP_MOUNT_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define MOUNT_LIST_MAX 8192 /* Darwin: fewer, or -ENOMEM */

struct mount_info {
	uint64_t id, parent;
	uint32_t major, minor;
	char *root; /* directory of the filesystem that is mounted */
	char *path, *type, *source;
	char *options; /* of the mount and of the filesystem, without duplicates */
	bool real;     /* it stores files: on storage, or in memory (tmpfs) */
	bool network;  /* it stores them on another machine, as far as known */
	bool hidden;   /* covered by another mount; set by mount_list__choose() */
	bool chosen;   /* set by mount_list__choose() */
};

struct mount_list {
	struct mount_info *list; /* in the kernel's order: a mount precedes those on it */
	size_t n;
};

/* Called for each mount for which a list has no place. */
typedef void mount_list__beyond_fn(void *arg, const struct mount_info *m);

/* The first MOUNT_LIST_MAX mounts as they are now; BEYOND, if not NULL, is called for each further
 * one. 0, or a negative errno. */
int mount_list__here(struct mount_list *ret, mount_list__beyond_fn *beyond, void *arg);
/* The same for the mounts in FILE, a mountinfo (proc(5)). */
int mount_list__read(struct mount_list *ret, FILE *file, mount_list__beyond_fn *beyond, void *arg);
/* Whether the files on a mount belong to a snapshot, NETWORK: with network filesystems. */
bool mount_list__is_wanted(const struct mount_info *m, bool network);
/* Chooses, for each filesystem, the mounts that cover it with the least overlap: bind mounts of
 * what another mount covers are left out. NETWORK: includes network filesystems. */
void mount_list__choose(struct mount_list *m, bool network);
/* The mount that contains absolute PATH, judged by the path alone, or NULL. */
const struct mount_info *mount_list__of(const struct mount_list *m, const char *path);
/* Frees the contents. */
void mount_list__clear(struct mount_list *m);

#endif
