/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files of one session that are still to be uploaded: those in its manifest minus those in its
 * journal. No other state says what to upload, so nothing is forgotten after a crash.
 *
 * For one thread at a time, except where stated. */
#ifndef IOTRC_UPLOAD_OUTBOX_H
#define IOTRC_UPLOAD_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "dataset/journal.h"

#define OUTBOX_KEY_MAX 512

struct outbox_file {
	struct outbox_file *next;
	unsigned int tries; /* failed attempts because of this file */
	uint64_t bytes;
	char sha256[65];
	char path[]; /* <stream>/<file> or manifest.json */
};

struct outbox_list {
	struct outbox_file *head, **tail;
	uint64_t n, bytes;
};

enum outbox_kind {
	OUTBOX_ENDED,     /* a session that nobody records: all of it is sent */
	OUTBOX_LIVE,      /* being recorded by this process */
	OUTBOX_ELSEWHERE, /* being recorded by another process: only finished files are sent */
};

struct outbox {
	int fd;    /* the session's directory */
	int lock;  /* negative: none */
	char *key; /* BUCKET/MACHINE_ID/SESSION */
	enum outbox_kind kind;
	bool keep;     /* keep local copies */
	bool finished; /* the manifest is final, and queued as the last file */
	struct journal *journal;
	struct outbox_list waiting;   /* in the order of upload */
	struct outbox_list stuck;     /* set aside until outbox__try_again() */
	struct outbox_file *manifest; /* of a finished session: sent after all other files */
	unsigned int busy;            /* files taken by outbox__take() and not returned */
	size_t n_files, n_spec;       /* entries of the manifest's lists that have been processed */
};

/* Opens session NAME in directory DIR. KEY is copied. KEEP: keep local copies; otherwise those
 * already uploaded are removed. UID and GID own new files; -1: unchanged. 0, or a negative errno:
 * -EBUSY: another process records or uploads the session, or has just ended one of KIND
 * OUTBOX_ELSEWHERE; -EINPROGRESS: it is neither complete nor recovered; -EALREADY: all of it has
 * been uploaded; -ENOMSG: its manifest is invalid. */
int outbox__open(struct outbox **ret, int dir, const char *name, const char *key,
		 enum outbox_kind kind, bool keep, const char *identity, uid_t uid, gid_t gid);
/* Accepts NULL, returns NULL. */
struct outbox *outbox__free(struct outbox *o);

/* New files found in the manifest. */
struct outbox_news {
	struct outbox_list list;
	struct outbox_file *manifest;
	bool finished;
};

/* Reads the manifest again, unless the session is finished. This can take long. One thread may call
 * it while others use O. Pass *RET to outbox__add() afterwards, even on error. 0, or a negative
 * errno: -ENOMSG if the manifest is invalid. */
int outbox__read(struct outbox *o, struct outbox_news *ret);
/* Queues the files found by outbox__read(). */
void outbox__add(struct outbox *o, struct outbox_news *news);

/* Removes the next file to send from the queue and returns it; NULL if there is none now. */
struct outbox_file *outbox__take(struct outbox *o);
/* Return a file to the front of the queue, to its end, or set it aside. */
void outbox__put_first(struct outbox *o, struct outbox_file *f);
void outbox__put_last(struct outbox *o, struct outbox_file *f);
void outbox__put_aside(struct outbox *o, struct outbox_file *f);
/* Frees a file that has been uploaded. */
void outbox__done(struct outbox *o, struct outbox_file *f);
/* Queues the files that were set aside. */
void outbox__try_again(struct outbox *o);

/* Opens the file of F, which must be a regular file; follows no symlink. The descriptor, or a
 * negative errno. May be called from any thread while F is taken. */
int outbox__open_file(const struct outbox *o, const struct outbox_file *f);
/* Removes the local copy of F. May be called from any thread while F is taken. */
void outbox__remove_file(const struct outbox *o, const struct outbox_file *f);

static inline bool outbox__is_manifest(const struct outbox_file *f)
{
	for (const char *s = f->path; *s; s++)
		if (*s == '/')
			return false;
	return true;
}

/* Whether there is nothing to send now. */
static inline bool outbox__idle(const struct outbox *o)
{
	return !o->busy && !o->waiting.n && !(o->manifest && !o->stuck.n);
}

/* Removes the rest of session NAME in DIR, all of which has been uploaded. If the directory
 * contains other files as well, its manifest is kept. 0, or a negative errno. */
int outbox__remove(int dir, const char *name);

#endif
