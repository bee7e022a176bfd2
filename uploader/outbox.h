/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One session on its way to a target: what its manifest lists, less what its journal says is there
 * already. The manifest is the queue: nothing is sent that isn't in it, and what is in it, and not
 * in the journal, is still to be sent, whatever happened before.
 *
 * Not for two threads at once, except where it says so. */
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
	unsigned int tries; /* that failed for reasons of its own */
	uint64_t bytes;
	char sha256[65];
	char path[]; /* <stream>/<file> or manifest.json */
};

struct outbox_list {
	struct outbox_file *head, **tail;
	uint64_t n, bytes;
};

struct outbox {
	int fd;        /* of the session's directory */
	char *key;     /* BUCKET/MACHINE_ID/SESSION */
	bool live;     /* being recorded by this process */
	bool keep;     /* local copies stay */
	bool finished; /* the manifest says so, and has been put into the list as the last */
	struct journal *journal;
	struct outbox_list waiting;   /* in the order in which they are tried */
	struct outbox_list stuck;     /* not tried again for now */
	struct outbox_file *manifest; /* once finished: goes when nothing else is left */
	unsigned int busy;            /* taken and not settled */
	size_t n_files, n_spec;       /* of the manifest's lists: that many have been looked at */
};

/* Opens session NAME of directory DIR. KEY is copied. LIVE: it is this process that records it.
 * KEEP: whether local copies stay; those that are at the target already are removed otherwise. UID
 * and GID own what is made; -1 leaves it. 0, or a negative errno: -EBUSY: somebody else records or
 * uploads it; -EINPROGRESS: it is neither complete nor recovered; -EALREADY: all of it is at the
 * target; -ENOMSG: its manifest is none. */
int outbox__open(struct outbox **ret, int dir, const char *name, const char *key, bool live,
		 bool keep, const char *identity, uid_t uid, gid_t gid);
/* Accepts NULL, returns NULL. */
struct outbox *outbox__free(struct outbox *o);

/* What a look into the manifest brought. */
struct outbox_news {
	struct outbox_list list;
	struct outbox_file *manifest;
	bool finished;
};

/* Reads the manifest again, until it is finished. That may take long, and needs no lock: one thread
 * at a time may be in here beside all others. Its news, also where it fails, are outbox__add()'s.
 * 0, or a negative errno: -ENOMSG where it is none. */
int outbox__read(struct outbox *o, struct outbox_news *ret);
/* Takes over what outbox__read() found. */
void outbox__add(struct outbox *o, struct outbox_news *news);

/* Takes the next file that is to be sent; NULL: none just now. */
struct outbox_file *outbox__take(struct outbox *o);
/* Puts a file that was taken back to where it came from, or behind all others, or aside. */
void outbox__put_first(struct outbox *o, struct outbox_file *f);
void outbox__put_last(struct outbox *o, struct outbox_file *f);
void outbox__put_aside(struct outbox *o, struct outbox_file *f);
/* Frees a file that was taken and is at the target. */
void outbox__done(struct outbox *o, struct outbox_file *f);
/* What was put aside is to be tried again. */
void outbox__try_again(struct outbox *o);

/* Opens F's file, which is a regular one and no symlink's. The descriptor, or a negative errno.
 * While F is taken, from any thread. */
int outbox__open_file(const struct outbox *o, const struct outbox_file *f);
/* Removes F here. While F is taken, from any thread. */
void outbox__remove_file(const struct outbox *o, const struct outbox_file *f);

static inline bool outbox__is_manifest(const struct outbox_file *f)
{
	for (const char *s = f->path; *s; s++)
		if (*s == '/')
			return false;
	return true;
}

/* Nothing is left, for now or at all. */
static inline bool outbox__idle(const struct outbox *o)
{
	return !o->busy && !o->waiting.n && !(o->manifest && !o->stuck.n);
}

/* Removes what is left of a session NAME of DIR that is wholly at a target; a directory that holds
 * something else as well keeps its manifest. */
int outbox__remove(int dir, const char *name);

#endif
