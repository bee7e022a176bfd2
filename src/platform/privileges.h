/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a recording may do once it is attached: no more than its parts need. */
#ifndef IOTRC_PRIVILEGES_H
#define IOTRC_PRIVILEGES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What a recording does after it is attached. */
struct privileges_use {
	bool gives_files;         /* what it makes belongs to somebody else */
	bool reads_all_files;     /* snapshots of the filesystems */
	bool reads_all_processes; /* snapshots of the processes */
	bool in_background;       /* threads of low priority, which must be hurried at the end */
};

/* The capabilities that USE needs, a bit for each CAP_*. */
uint64_t privileges__needed(const struct privileges_use *use);

/* Gives up all capabilities but KEEP, for good, for the calling thread and those that it starts
 * from now on. 0, or a negative errno. */
int privileges__drop(uint64_t keep);

/* Makes the calling thread, and no other, an ordinary one of user UID and GID (-1: of the current
 * user): without any capability. 0, or a negative errno. */
int privileges__become(uid_t uid, gid_t gid);

/* Whether this process may load and attach BPF programs that look at the whole machine: CAP_BPF and
 * CAP_PERFMON, or CAP_SYS_ADMIN. */
bool privileges__allow_bpf(void);

#endif
