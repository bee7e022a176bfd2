/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Uploads during a recording, and what `iotrc upload` shares with them: the settings, and the
 * identity of a target. */
#ifndef IOTRC_UPLOAD_H
#define IOTRC_UPLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "dataset/session.h"
#include "uploader/queue.h"

/* Settings from the options. Strings are borrowed. */
struct upload_settings {
	struct target_config target; /* rate: bytes per second, all threads together; 0: no limit */
	unsigned int parallel;       /* files at a time, at least 1 */
	uint64_t timeout_ns;         /* maximum wait at the end of a recording */
	bool keep;                   /* keep local copies */
	bool later;                  /* a recording only marks its session for upload__continue() */
	bool telemetry;              /* report each session to the gateway */
};

/* Checks that SETTINGS name a usable target. 0, or a negative errno with the reason in PROBLEM. */
int upload__check(const struct upload_settings *settings, char problem[TARGET_REASON_MAX]);

/* The directory of a file:// target; NULL if there is no target, or another one. */
const char *upload__directory(const struct upload_settings *settings);

/* Uploads a small object, reads it back and deletes it. *RET_WORKS says whether that succeeded;
 * REASON says why not, or describes the success. 0, or a negative errno if SETTINGS are
 * unusable. */
int upload__test(const struct upload_settings *settings, bool *ret_works,
		 char reason[TARGET_REASON_MAX]);

/* Writes the identity of the target, its URL and the endpoint of an S3 store, to IDENTITY, and
 * fills in the members of *RET_CONFIG that depend on SETTINGS. *RET_CONFIG borrows both arguments.
 * 0, or -ENAMETOOLONG. */
#define UPLOAD_IDENTITY_MAX 8192
int upload__queue_config(const struct upload_settings *settings, char identity[UPLOAD_IDENTITY_MAX],
			 struct queue_config *ret_config);

/* BUCKET/MACHINE_ID/SESSION at the end of PATH; a pointer into PATH. */
const char *upload__key(const char *path);

/* Record in the state directory STATE (NULL: the default), if it exists, that this machine has
 * uploaded something; return whether it has. */
void upload__mark(const char *state);
bool upload__marked(const char *state);

/* Marks SESSION as one to upload: another process sends it. UID and GID: its owner; -1: this
 * process's user. 0, or a negative errno. */
int upload__leave(const struct upload_settings *settings, const struct session *session, uid_t uid,
		  gid_t gid);

/* ---- during a recording: to be called from one thread ---- */

struct upload;

/* Starts to upload SESSION, which is being recorded, and the unsent files of other sessions in its
 * parent directory. SETTINGS, STATE (the state directory; NULL: the default) and SESSION are
 * borrowed until upload__free(). UID and GID: SESSION's owner; -1: this process's user. 0, or a
 * negative errno with a line in PROBLEM. */
int upload__new(struct upload **ret, const struct upload_settings *settings, const char *state,
		const struct session *session, uid_t uid, gid_t gid,
		char problem[TARGET_REASON_MAX]);

/* Tells U that the session's manifest has been written. Accepts NULL. */
void upload__poke(struct upload *u);

/* Limits the rate to RATE bytes per second; 0: no limit. Accepts NULL. */
void upload__set_rate(struct upload *u, uint64_t rate);

/* Get the next message for the user (false if there is none), and a note for the status line ("" if
 * there is none). Accept NULL. */
#define UPLOAD_NOTE_MAX 48
bool upload__news(struct upload *u, char news[QUEUE_NEWS_MAX]);
void upload__note(struct upload *u, char note[UPLOAD_NOTE_MAX]);

/* The queue, to show its progress. */
struct queue *upload__queue(struct upload *u);

/* To be called when the recording has ended and its last manifest is written. Waits at most for the
 * timeout of the settings, calling TICK as queue__wait() does, and ends the threads. *RET_STATS are
 * the final stats. False if a thread is stuck: the caller must then exit without freeing U. */
bool upload__finish(struct upload *u, void (*tick)(void *arg, const struct queue_stats *stats),
		    void *arg, struct queue_stats *ret_stats);
/* Frees it; NULL is allowed. Returns NULL. */
struct upload *upload__free(struct upload *u);

#endif
