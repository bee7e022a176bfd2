/* SPDX-License-Identifier: GPL-2.0-only */
/* Threads that work beside a recording, below whatever else wants CPU or disk. */
#ifndef IOTRC_BACKGROUND_H
#define IOTRC_BACKGROUND_H

#include <sys/types.h>

/* Puts the calling thread there; SCHED_IDLE (<sched.h>) lower still than SCHED_OTHER, where on a busy
 * machine it hardly runs at all. Where the system refuses, it stays where it is. */
void background__enter(int policy);

/* Takes thread TID back: on a busy machine it might wait for seconds, and somebody waits for it. */
void background__hurry(pid_t tid);

/* Takes all rights from the calling thread but those of an ordinary user UID and GID (-1: the one it
 * is), and no other thread's. 0, or a negative errno: it can't be had, and the thread should end. */
int background__drop(uid_t uid, gid_t gid);

#endif
