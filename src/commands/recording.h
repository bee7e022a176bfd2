/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state of a running recording, which only the files record*.c share: record.c (from start to
 * end), record_start.c, record_watch.c, record_end.c (its phases), record_counts.c (counts and the
 * manifest), record_message.c, record_containers.c, record_metrics.c and record_service.c. */
#ifndef IOTRC_RECORDING_H
#define IOTRC_RECORDING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/utsname.h>

#include "base/anonymize.h"
#include "base/clock.h"
#include "base/daemon.h"
#include "base/watchdog.h"
#include "commands/container_watch.h"
#include "commands/filters.h"
#include "commands/reload.h"
#include "commands/status.h"
#include "dataset/disk_budget.h"
#include "dataset/memory.h"
#include "dataset/session.h"
#include "dataset/staging.h"
#include "dataset/writer.h"
#include "engine/capture.h"
#include "engine/engine.h"
#include "engine/keep.h"
#include "metrics/publisher.h"
#include "options/options.h"
#include "rows/process_users.h"
#include "snappers/snapshots.h"
#include "uploader/upload.h"

struct recording {
	const struct options *options; /* own */
	struct options own;
	struct filters filters;
	struct memory_plan plan;
	int nice;  /* of the main thread */
	uid_t uid; /* owner of created files; -1: unchanged */
	gid_t gid;
	struct clock *clock;
	struct engine *engine;
	struct keep *keep; /* or NULL */
	atomic_bool ended; /* the engine has no more records */
	struct session *session;
	struct session_origin *origin;
	struct manifest *manifest;
	struct writer *writer;
	struct capture *capture;
	struct snapshots *snapshots;
	struct upload *upload;       /* or NULL */
	struct publisher *publisher; /* of metrics, or NULL */
	struct latencies *latencies; /* for it */
	uint64_t start_real_ns;      /* wall time, for it */
	struct utsname kernel;       /* for it */
	struct disk_budget *budget;
	struct staging *staging;
	struct container_watch containers;
	bool containers_changed;     /* their names are to be written */
	struct process_users *users; /* or NULL: names of users are left out */
	int landlock;                /* its ABI; 0: none */
	int state;                   /* the state directory, or a negative errno */
	unsigned char key[ANONYMIZE_KEY_SIZE];
	struct anonymizer *anon; /* this thread's */
	struct status status;
	struct daemon daemon;
	struct reload reload;
	uint64_t rounds;                 /* of the reader, when the manager was last notified … */
	struct status_snapshot reported; /* … and what it said */
	struct watchdog reader, disk;    /* the threads between the kernel and the disk */
	bool stuck; /* the snapshots' thread is stuck, and still uses all this */
	uint64_t begun_ns;
	size_t offsets; /* of the clock, in the manifest */
	atomic_bool manifest_stale;
	uint64_t manifest_due_ns; /* not before */
};

/* ---- record_message.c ---- */

/* Prints a message as an error. Returns EXIT_CANNOT. */
int recording__complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- record_counts.c ---- */

/* 1 << stream for each stream of this recording, including snapshots and lost. */
uint32_t recording__enabled_streams(const struct options *o);
/* Returns the engine that OPTIONS request. */
const struct engine_type *recording__engine_type(const struct options *o);
/* Collects the counts of all streams. */
void recording__take_snapshot(struct recording *r, struct status_snapshot *s);
/* Writes the manifest with counts, hooks and clock offsets. 0, or a negative errno. */
int recording__write_manifest(struct recording *r);
/* Writes the manifest before any other file, so that whatever a crash leaves is described. Returns
 * 0, or a negative errno. */
int recording__write_first_manifest(struct recording *r);
/* Whether the wall clock was set after the last manifest. */
bool recording__clock_was_set(struct recording *r);
/* Notes that the manifest of ARG, a struct recording, has changed and must be written soon. From
 * any thread. */
void recording__manifest_grown(void *arg);

/* ---- record_start.c ---- */

/* Starts everything. Returns -1 if it records, otherwise the exit code after a message. */
int recording__begin(struct recording *r);
struct disk_budget_config recording__budget_limits(const struct options *o);

/* ---- record_containers.c ---- */

/* Finds the machine's containers; needs the privileges of the start. */
void recording__begin_containers(struct recording *r);
/* Looks for new containers and names if it is time, or if cgroups were CREATED. Writes changes to
 * containers.json and the manifest. */
void recording__look_for_containers(struct recording *r, bool created);

/* ---- record_watch.c ---- */

/* Does the main thread's work until the recording is to end. */
void recording__watch(struct recording *r);
/* Prints the messages of the staging thread. */
void recording__tell_staging(struct recording *r);

/* ---- record_end.c ---- */

/* Ends the recording. Returns the exit code. */
int recording__finish(struct recording *r);

/* ---- record_metrics.c ---- */

/* Opens and binds, which may need privileges. Returns 0, or the exit code after a message. */
int recording__prepare_metrics(struct recording *r);
/* Starts publishing. Returns 0, or the exit code after a message. */
int recording__start_metrics(struct recording *r);
/* Passes the counts of S and everything else to the publisher. RECORDING: it has not ended. */
void recording__publish(struct recording *r, const struct status_snapshot *s, bool recording);

/* ---- record_service.c ---- */

/* Goes into the background. Returns 0, or the exit code after a message; nothing has been started
 * yet. */
int recording__become_daemon(struct recording *r);
/* Tells the user and the service manager that recording has begun. Returns 0, or the exit code. */
int recording__tell_ready(struct recording *r);
/* Sends a sign of life to the service manager while the reader makes progress. */
void recording__tell_alive(struct recording *r, const struct status_snapshot *now);
/* Starts to reload the configuration (SIGHUP), and applies what has been loaded. */
void recording__reload(struct recording *r);
void recording__end_reload(struct recording *r);
/* Reports the end in one line, for a log. */
void recording__tell_end(const struct recording *r, const struct status_snapshot *s);

#endif
