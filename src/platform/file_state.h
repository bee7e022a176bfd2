/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a file system reports about a file, or about all files of a directory. */
#ifndef IOTRC_FILE_STATE_H
#define IOTRC_FILE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct file_time {
	int64_t second;
	uint32_t ns;
};

struct file_state {
	uint64_t size, physical, inode; /* physical: bytes on disk */
	struct file_time birth, modified, changed, accessed;
	uint64_t mount;        /* id of its mount; 0: unknown */
	uint32_t major, minor; /* of its device */
	uint32_t nlink;
	uint32_t mode;       /* with its type, as st_mode */
	uint32_t attributes; /* STATX_ATTR_* (statx(2)); on macOS st_flags (chflags(2)) */
	bool has_birth;
	bool mount_root; /* another file system is mounted here */
};

/* Gets the state of PATH below directory DIR (AT_FDCWD: the working directory), or of DIR itself if
 * PATH is empty. Follows a symbolic link only with FOLLOW. Returns 0, or a negative errno. */
int file_state__get(int dir, const char *path, bool follow, struct file_state *ret);

/* The names of attributes, for a row; the list ends with a NULL name. */
struct file_attribute {
	uint32_t bit;
	const char *name;
};
extern const struct file_attribute file_attributes[];

#define LISTING_BYTES (64 * 1024)

/* A directory that is being read. Must be zeroed except for FD, which is borrowed. */
struct listing {
	int fd;
	long n, at; /* what is in entries; on macOS n counts entries */
	_Alignas(8) char entries[LISTING_BYTES];
};

/* Gets the next file of the directory, except "." and "..". NAME is valid until the next call.
 * *RET_ERROR: 0, or a negative errno: the file could not be examined, and FACTS are not set.
 * Returns 1, 0 at the end, or a negative errno if the directory cannot be read further. */
int listing__next(struct listing *l, const char **ret_name, struct file_state *ret, int *ret_error);

/* Opens directory PATH below DIR for listing__next(), without following symbolic links in PATH and,
 * if allowed, without changing the access time. On Linux it refuses (-EXDEV) to leave DIR's mount.
 * Returns a descriptor, or a negative errno. */
int listing__open(int dir, const char *path);

#endif
