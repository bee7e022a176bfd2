/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Uploading as a person sees it: beside a recording, and as the command `iotrc upload`. */
#ifndef IOTRC_UPLOAD_H
#define IOTRC_UPLOAD_H

#include <stdbool.h>
#include <sys/types.h>

#include "dataset/session.h"
#include "options/options.h"
#include "uploader/queue.h"

/* The commands; the exit code. */
int upload__main(const struct options *options);
int upload__reward(const struct options *options);

/* Whether a small object can be put there, read back and deleted; REASON says why not, or how. 0, or a
 * negative errno: the target can't even be tried, and there is no recording with it. */
int upload__test(const struct options *options, bool *ret_works, char reason[TARGET_REASON_MAX]);

/* ---- beside a recording: all from one thread ---- */

struct upload;

/* Whether OPTIONS name a target that can be used: before anything is begun. 0, or a negative errno. */
int upload__check(const struct options *options, char problem[TARGET_REASON_MAX]);

/* Begins to send SESSION, which is being recorded, and what is left of those beside it. Both
 * arguments are borrowed until upload__free(). UID and GID: SESSION's owner, -1 for ours. 0, or a
 * negative errno with a line in PROBLEM. */
int upload__new(struct upload **ret, const struct options *options, const struct session *session,
		uid_t uid, gid_t gid, char problem[TARGET_REASON_MAX]);

/* The session's manifest has been written. Accepts NULL. */
void upload__poke(struct upload *u);

/* Another --upload-rate. Accepts NULL. */
void upload__set_rate(struct upload *u, uint64_t rate);

/* Says what is new, and NOTE for the status line: "" when there is nothing. Accepts NULL. */
#define UPLOAD_NOTE_MAX 48
bool upload__news(struct upload *u, char news[QUEUE_NEWS_MAX]);
void upload__note(struct upload *u, char note[UPLOAD_NOTE_MAX]);

/* The recording is over and its last manifest written: waits for --upload-timeout at most,
 * with a bar on a terminal unless QUIET, and says what was sent and what is left. False when a
 * thread is stuck: the program may only exit then. Accepts NULL. */
bool upload__finish(struct upload *u, bool quiet);
struct upload *upload__free(struct upload *u);

#endif
