/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What machine this is: five JSON files, from /proc, /sys and the kernel's own answers. Nothing is
 * asked of any network, and no serial number is read. */
#ifndef IOTRC_SNAP_SYSTEM_SPEC_H
#define IOTRC_SNAP_SYSTEM_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/anonymize.h"

/* Of the filesystems on the network only the mounts are named: asking one whose server is away
 * would wait for it. NETWORK: they are asked all the same. */
struct system_spec_config {
	int session_fd; /* borrowed */
	uid_t uid;      /* owner of what is created; -1 leaves it */
	gid_t gid;
	bool network;
	struct anonymizer *anon; /* NULL: names in clear */
	/* Called for each file that is written: its path below the session and its SHA-256. */
	void (*finished)(void *arg, const char *path, size_t bytes, const char *sha256);
	void *arg;
};

/* Writes the files of system_spec/. 0, or the first error; the others are written all the same. */
int system_spec__write(const struct system_spec_config *config);

#endif
