/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of a session is known to be at a target: a file of lines in the session's directory, synced
 * line by line, never uploaded itself. A line counts when it is whole, so it may be killed at any
 * moment. Functions on a journal may be called from any thread; a session has one journal open
 * for writing at a time (whoever uploads it holds the lock on its directory). */
#ifndef IOTRC_UPLOAD_JOURNAL_H
#define IOTRC_UPLOAD_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define JOURNAL_NAME ".upload.jsonl"

struct journal;

/* Opens the journal of the session whose directory is SESSION_FD (borrowed), made when missing, for
 * the target that IDENTITY names (any text; its hash is what is written). UID and GID own what is
 * made; -1 leaves it. 0, or a negative errno: -EFBIG where it can't be ours, so large is it. */
int journal__open(struct journal **ret, int session_fd, const char *identity, uid_t uid, gid_t gid);
/* Accepts NULL, returns NULL. */
struct journal *journal__free(struct journal *j);

/* PATH (relative to the session) is at the target, with this content. */
bool journal__has(struct journal *j, const char *path, const char *sha256);
/* … is at another target. */
bool journal__elsewhere(struct journal *j, const char *path, const char *sha256);

/* Writes down that PATH is at the target; on the disk when this returns 0. A negative errno: it is
 * not written down, and the local copy is still needed. */
int journal__confirm(struct journal *j, const char *path, const char *sha256, uint64_t bytes);

/* What the target wants to know again when it takes PATH up: a copy, the caller's; NULL for
 * none. */
char *journal__progress(struct journal *j, const char *path, const char *sha256);
/* Writes it down; NULL: there is nothing to take up any more. 0, or a negative errno. */
int journal__set_progress(struct journal *j, const char *path, const char *sha256,
			  const char *progress);

/* Whether all of the session in SESSION_FD is at one target: its manifest is, as it stands here (or
 * has been removed here), and that goes last. For whoever wants to remove a session. */
bool journal__session_uploaded(int session_fd);
/* Opens the journal to look whether files are at any target (journal__elsewhere()), which is why
 * they may be missing here. 0, or a negative errno: -ENOENT where there is none. */
int journal__look(struct journal **ret, int session_fd);

/* Lower-case hex of the SHA-256 of what FD holds from its start on. 0, or a negative errno. */
int journal__sha256(int fd, char ret[65]);

#endif
