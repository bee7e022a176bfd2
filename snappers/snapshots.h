/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The thread that takes snapshots during a recording, at the lowest priority. It takes one snapshot
 * at a time and samples processes in between. */
#ifndef IOTRC_SNAP_SNAPSHOTS_H
#define IOTRC_SNAP_SNAPSHOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/anonymize.h"
#include "base/clock.h"
#include "dataset/csv_file.h"
#include "dataset/manifest.h"
#include "dataset/session.h"
#include "schema/selection.h"

/* Settings from the options. */
struct snapshots_settings {
	uint64_t process_interval_ns; /* between snapshots of the processes; 0: none */
	uint64_t fs_interval_ns;      /* between snapshots of the filesystems; 0: none */
	bool system_spec;             /* describe the machine once, at the start */
	bool full;                    /* the first snapshot of the filesystems has all files */
	bool network_mounts;          /* include network filesystems */
	unsigned int busy_percent;    /* a walk waits above this pressure; 100: never */
};

struct snapshots_config {
	const struct snapshots_settings *settings;
	/* trees to walk; all if there are none */
	const struct path_prefix *roots;
	size_t n_roots;
	uint64_t memory; /* memory of the whole recording, bytes (dataset/memory.h); 0: default */
	uint64_t rotate_bytes; /* compressed size at which a new file begins */
	bool keep_system;      /* with anonymisation, leave system paths readable */
	struct clock *clock;
	const struct session *session;
	struct manifest *manifest;
	uid_t uid; /* owner of new files; -1: unchanged */
	gid_t gid;
	int level;                  /* zstd's */
	struct disk_budget *budget; /* limit on what is written; NULL: none */
	int state; /* the state directory, or the negative errno with which opening it failed */
	const unsigned char *key; /* of the anonymisation; NULL: names in clear */
	/* Called on the thread after an addition to the manifest. */
	void (*changed)(void *arg);
	void *arg;
};

struct snapshots;

/* Starts the thread. CONFIG is borrowed until snapshots__free(). 0, or a negative errno. */
int snapshots__new(struct snapshots **ret, const struct snapshots_config *config);

/* Stops the thread; a snapshot in progress is marked incomplete. False if the thread is stuck in
 * the kernel (a filesystem that does not answer): the caller must then exit without freeing S. */
bool snapshots__stop(struct snapshots *s);
/* Stops the thread and frees S, unless the thread is stuck. NULL is allowed. Returns NULL. */
struct snapshots *snapshots__free(struct snapshots *s);

/* Rows of STREAM_PROCESS and STREAM_FILESYSTEM so far, and their bytes on disk. Any thread. */
void snapshots__counts(struct snapshots *s, enum stream stream, struct row_counts *ret,
		       uint64_t *ret_bytes);

/* Describes work in progress, for the status line; "" if there is none. */
#define SNAPSHOTS_NOTE_MAX 48
void snapshots__note(struct snapshots *s, char note[SNAPSHOTS_NOTE_MAX]);

/* Says why a snapshot is missing or incomplete; NULL if all is well. The string is valid as long as
 * S is. */
const char *snapshots__problem(struct snapshots *s);

#endif
