/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Limits a recording, once it is attached, to the privileges that it needs. */
#ifndef IOTRC_PRIVILEGES_H
#define IOTRC_PRIVILEGES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What a recording does after attaching. */
struct privileges_use {
	bool gives_files;         /* its files belong to another user */
	bool reads_all_files;     /* snapshots of the filesystems */
	bool reads_all_processes; /* snapshots of the processes */
	bool in_background;       /* threads of low priority, to be raised at the end */
};

/* Returns the capabilities that USE needs, a bit per CAP_*. */
uint64_t privileges__needed(const struct privileges_use *use);

/* Drops all capabilities except KEEP permanently, for the calling thread and threads that it starts
 * from now on. Returns 0, or a negative errno. */
int privileges__drop(uint64_t keep);

/* Makes only the calling thread run as user UID and GID (-1: the current ones), without any
 * capability. Returns 0, or a negative errno. */
int privileges__become(uid_t uid, gid_t gid);

/* Whether this process is in a user namespace other than the machine's first one, as in a rootless
 * container or after unshare -U. Its capabilities don't count for BPF. False if that is unknown. */
bool privileges__in_user_namespace(void);

/* Whether this process may load and attach BPF programs that observe the whole machine: CAP_BPF and
 * CAP_PERFMON, or CAP_SYS_ADMIN, in the machine's first user namespace. */
bool privileges__allow_bpf(void);

#endif
