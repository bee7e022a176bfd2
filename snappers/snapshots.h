/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The thread that takes snapshots beside a recording: at the lowest priority, one thing at a time,
 * the samples of processes in between. */
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

/* As the options set it. */
struct snapshots_settings {
	uint64_t process_interval_ns; /* between snapshots of the processes; 0: none */
	uint64_t fs_interval_ns;      /* between snapshots of the filesystems; 0: none */
	bool system_spec;             /* describe the machine once, at the start */
	bool full;                    /* the first snapshot of the filesystems has all files */
	bool network_mounts;          /* network filesystems are looked at as well */
	unsigned int busy_percent;    /* pressure from which on a walk waits; 100: never */
};

struct snapshots_config {
	const struct snapshots_settings *settings;
	/* what of the filesystems is walked; all where there are none */
	const struct path_prefix *roots;
	size_t n_roots;
	uint64_t memory;       /* bytes of the whole recording (dataset/memory.h); 0: the default */
	uint64_t rotate_bytes; /* compressed, after which a new file begins */
	bool keep_system;      /* anonymised, system paths are clear all the same */
	struct clock *clock;
	const struct session *session;
	struct manifest *manifest;
	uid_t uid; /* owner of what is created; -1 leaves it */
	gid_t gid;
	int level;                  /* zstd's */
	struct disk_budget *budget; /* what may be written; NULL: anything */
	int state;                /* the state directory, or a negative errno: why there is none */
	const unsigned char *key; /* of the anonymisation; NULL: names in clear */
	/* Called on the thread when the manifest has grown. */
	void (*changed)(void *arg);
	void *arg;
};

struct snapshots;

/* Starts the thread; all of CONFIG is borrowed until snapshots__free(). 0, or a negative errno. */
int snapshots__new(struct snapshots **ret, const struct snapshots_config *config);

/* Ends what is being done, and the thread; a walk is marked incomplete. False when the thread is
 * stuck in the kernel (a filesystem that doesn't answer): the program may only exit then. */
bool snapshots__stop(struct snapshots *s);
/* Stops it and frees it, unless its thread is stuck. NULL is allowed. Returns NULL. */
struct snapshots *snapshots__free(struct snapshots *s);

/* Rows of STREAM_PROCESS and STREAM_FILESYSTEM so far, and their bytes on disk. Any thread. */
void snapshots__counts(struct snapshots *s, enum stream stream, struct row_counts *ret,
		       uint64_t *ret_bytes);

/* What it is doing, for the status line: "" when nothing that takes long. */
#define SNAPSHOTS_NOTE_MAX 48
void snapshots__note(struct snapshots *s, char note[SNAPSHOTS_NOTE_MAX]);

/* In words, why something was left out or isn't whole; NULL: all went well so far. The string lives
 * as long as S. */
const char *snapshots__problem(struct snapshots *s);

#endif
