/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lock of a session, held by the process that records, repairs, uploads or removes it. A lock
 * by flock(2) can be taken by anybody who can open the directory, also by its group, who could keep
 * a session from being repaired or sent. So the lock is one of fcntl(2) on a file that only its
 * owner and root can open. It has two parts, because finished files can be sent by another process
 * than the one that records the session. */
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

/* Locks PART of the session in directory DIR. -EWOULDBLOCK: another process holds it; -EPERM: the
 * file of that name is not a lock file; or another error: the file may not be opened, or the file
 * system has no locks. */
int session_lock__take(int dir, enum session_lock_part part);

/* Whether a process records or repairs the session in directory DIR. Also true if this is unknown:
 * the caller may not open the file, or the file system has no locks. */
bool session_lock__held(int dir);

#endif
