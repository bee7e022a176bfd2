/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Uploads beside a recording, and what `iotrc upload` shares with them: how people set an upload
 * up, and what identifies a target. */
#ifndef IOTRC_UPLOAD_H
#define IOTRC_UPLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "dataset/session.h"
#include "uploader/queue.h"

/* As the options set it. Strings are borrowed. */
struct upload_settings {
	struct target_config target; /* rate: bytes per second of all threads together; 0: any */
	unsigned int parallel;       /* files at a time, at least 1 */
	uint64_t timeout_ns;         /* that the end of a recording waits */
	bool keep;                   /* local copies stay */
	bool telemetry;              /* a gateway is told of each session */
};

/* Checks that SETTINGS name a target that can be used, before anything else is begun. 0, or a
 * negative errno with the reason in PROBLEM. */
int upload__check(const struct upload_settings *settings, char problem[TARGET_REASON_MAX]);

/* Puts a small object at the target, reads it back and deletes it. *RET_WORKS says whether that
 * went well, REASON why not, or how. 0, or a negative errno: the target can't even be tried, and
 * there is no recording with it. */
int upload__test(const struct upload_settings *settings, bool *ret_works,
		 char reason[TARGET_REASON_MAX]);

/* Writes what identifies the target, its URL and an S3 store's endpoint, to IDENTITY and fills in
 * all of CONFIG that SETTINGS say. Both arguments are borrowed by CONFIG. 0, or -ENAMETOOLONG. */
#define UPLOAD_IDENTITY_MAX 8192
int upload__queue_config(const struct upload_settings *settings, char identity[UPLOAD_IDENTITY_MAX],
			 struct queue_config *ret_config);

/* The BUCKET/MACHINE_ID/SESSION at the end of PATH, which is in PATH. */
const char *upload__key(const char *path);

/* Remembers in state directory STATE (NULL: the default), if there is one, that this machine has
 * uploaded something; whether it has. */
void upload__mark(const char *state);
bool upload__marked(const char *state);

/* ---- beside a recording: all from one thread ---- */

struct upload;

/* Begins to send SESSION, which is being recorded, and what is left of those beside it. SETTINGS,
 * STATE (the state directory; NULL: the default) and SESSION are borrowed until upload__free(). UID
 * and GID: SESSION's owner, -1 for ours. 0, or a negative errno with a line in PROBLEM. */
int upload__new(struct upload **ret, const struct upload_settings *settings, const char *state,
		const struct session *session, uid_t uid, gid_t gid,
		char problem[TARGET_REASON_MAX]);

/* The session's manifest has been written. Accepts NULL. */
void upload__poke(struct upload *u);

/* Sends at most RATE bytes per second from now on; 0: any. Accepts NULL. */
void upload__set_rate(struct upload *u, uint64_t rate);

/* Says what is new, and NOTE for the status line: "" when there is nothing. Accepts NULL. */
#define UPLOAD_NOTE_MAX 48
bool upload__news(struct upload *u, char news[QUEUE_NEWS_MAX]);
void upload__note(struct upload *u, char note[UPLOAD_NOTE_MAX]);

/* The queue behind it, for those who show how far it is. */
struct queue *upload__queue(struct upload *u);

/* The recording is over and its last manifest written: waits for the settings' timeout at most,
 * calling TICK as queue__wait() does, and ends the threads; *RET_STATS are the last ones. False
 * when a thread is stuck: the program may only exit then. */
bool upload__finish(struct upload *u, void (*tick)(void *arg, const struct queue_stats *stats),
		    void *arg, struct queue_stats *ret_stats);
/* Frees it; NULL is allowed. Returns NULL. */
struct upload *upload__free(struct upload *u);

#endif
