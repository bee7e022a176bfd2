/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Describes the machine in five JSON files, from /proc, /sys and system calls. It sends nothing
 * over a network and reads no serial numbers. */
#ifndef IOTRC_SNAP_SYSTEM_SPEC_H
#define IOTRC_SNAP_SYSTEM_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/anonymize.h"

/* For network filesystems only the mount is listed, because statfs can block on a server that does
 * not answer. With NETWORK, they are queried. */
struct system_spec_config {
	int session_fd; /* borrowed */
	uid_t uid;      /* owner of new files; -1: unchanged */
	gid_t gid;
	bool network;
	struct anonymizer *anon; /* NULL: names in clear */
	/* Called for each file written, with its path below the session and its SHA-256. */
	void (*finished)(void *arg, const char *path, size_t bytes, const char *sha256);
	void *arg;
};

/* Writes the files of system_spec/. 0, or the first error; it writes the other files even then. */
int system_spec__write(const struct system_spec_config *config);

#endif
