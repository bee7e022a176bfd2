/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The journal of a session lists the files that have been uploaded. It is a text file in the
 * session's directory, synced after each line, and not uploaded itself. Incomplete lines are
 * ignored, so the program can be killed at any time. All functions may be called from any thread.
 * Only the process that holds the lock on the session's directory writes the journal. */
#ifndef IOTRC_UPLOAD_JOURNAL_H
#define IOTRC_UPLOAD_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define JOURNAL_NAME ".upload.jsonl"

struct journal;

/* Opens, or creates, the journal of the session in directory SESSION_FD (borrowed) for the target
 * IDENTITY (any text; its hash is stored). UID and GID own a new file; -1: unchanged. 0, or a
 * negative errno: -EFBIG if the file is larger than a journal can be. */
int journal__open(struct journal **ret, int session_fd, const char *identity, uid_t uid, gid_t gid);
/* Accepts NULL, returns NULL. */
struct journal *journal__free(struct journal *j);

/* Whether PATH (relative to the session) is at the target, with this SHA-256. */
bool journal__has(struct journal *j, const char *path, const char *sha256);
/* Whether PATH is at another target, with this SHA-256. */
bool journal__elsewhere(struct journal *j, const char *path, const char *sha256);

/* Records that PATH is at the target, and syncs the journal. 0, or a negative errno: then the local
 * copy is still needed. */
int journal__confirm(struct journal *j, const char *path, const char *sha256, uint64_t bytes);

/* The state with which the target resumes the upload of PATH: a copy that the caller frees; NULL if
 * there is none. */
char *journal__progress(struct journal *j, const char *path, const char *sha256);
/* Stores that state; NULL removes it. 0, or a negative errno. */
int journal__set_progress(struct journal *j, const char *path, const char *sha256,
			  const char *progress);

/* Whether the whole session in SESSION_FD has been uploaded to one target, so that it can be
 * removed. This is so if its manifest has been, in its present state, because the manifest is sent
 * last. */
bool journal__session_uploaded(int session_fd);
/* Opens the journal read-only, to see with journal__elsewhere() whether missing files have been
 * uploaded. 0, or a negative errno: -ENOENT if there is no journal. */
int journal__look(struct journal **ret, int session_fd);

/* Lower-case hexadecimal SHA-256 of the file FD, from its start. 0, or a negative errno. */
int journal__sha256(int fd, char ret[65]);

#endif
