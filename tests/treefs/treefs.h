/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A read-only FUSE filesystem with any tree that a test describes: names of up to 4,095 bytes, any
 * bytes but '/' and NUL, files of any type. No other filesystem shows such names to programs that
 * walk directories. */
#ifndef IOTRC_TREEFS_H
#define IOTRC_TREEFS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define TREEFS_NAME_MAX 4095 /* FUSE_NAME_MAX, fs/fuse/fuse_i.h, since Linux 6.14; 1,024 before */
#define TREEFS_NODES_MAX 4096

struct treefs_node {
	size_t parent; /* index of the directory; the root, index 0, is its own */
	mode_t mode;   /* S_IFREG, S_IFDIR, ... and permissions */
	char *name;    /* NUL-terminated; owned */
	char *content; /* of a file, or a symlink's target; owned */
	size_t size;
};

struct treefs {
	struct treefs_node nodes[TREEFS_NODES_MAX];
	size_t n;
	unsigned long
		generation; /* of the tree: its inode numbers stand for other files than before */
};

/* An empty directory. */
void treefs__clear(struct treefs *t);

/* Adds a node; the name is NAME_LEN bytes of NAME and the content SIZE bytes of CONTENT, both
 * copied. After a mistake of the caller (no such parent, not a directory, an impossible name, too
 * many nodes) it adds nothing and returns 0, which is never the index of an added node. */
size_t treefs__add(struct treefs *t, size_t parent, mode_t mode, const char *name, size_t name_len,
		   const char *content, size_t size);

/* Mounts T at DIR (filesystem type fuse.SUBTYPE) and answers the kernel until it is unmounted. The
 * tree may be changed while no program uses it: the kernel caches nothing of it. READY is called
 * once it is mounted. Returns 0, or 1 if it cannot be mounted. */
int treefs__serve(struct treefs *t, const char *dir, const char *subtype, void (*ready)(void *arg),
		  void *arg);

#endif
