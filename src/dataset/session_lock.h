/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who uses a session. Whoever records, repairs, uploads or removes one holds its lock. A lock by
 * flock(2) may be taken by anybody who can open the directory, and the group can: it could keep a
 * session from being repaired or sent. So the lock is one of fcntl(2) on a file that only its owner
 * and root can open. It has two parts: finished files of a session may be sent by another process
 * than the one that records it. */
#ifndef IOTRC_SESSION_LOCK_H
#define IOTRC_SESSION_LOCK_H

#include <stdbool.h>

#define LOCK_NAME ".lock" /* mode 0600; empty; stays */

enum session_lock_part {
	SESSION_LOCK_CHANGE, /* records or repairs the session */
	SESSION_LOCK_SEND,   /* sends finished files of it */
	SESSION_LOCK_ALL,    /* nobody else uses the session */
};

/* The functions that lock return a descriptor, which holds the lock until it is closed, or a
 * negative errno. */

/* Makes the lock file of the new session in directory DIR, and locks SESSION_LOCK_CHANGE.
 * -EWOULDBLOCK: somebody was there before; another error if the file system has no locks. */
int session_lock__new(int dir);

/* Locks PART of the session in directory DIR. -EWOULDBLOCK: somebody else holds it; -EPERM: what
 * has that name is no lock file; or another error: the file may not be opened, or the file system
 * has no locks. */
int session_lock__take(int dir, enum session_lock_part part);

/* Whether somebody records or repairs the session in directory DIR. True too if that cannot be
 * known: for those who may not open the file, and if the file system has no locks. */
bool session_lock__held(int dir);

#endif
