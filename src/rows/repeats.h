/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds records that say nothing new about which files were used, and by whom: `iotrc run` needs no
 * rows for them. A compiler that includes a thousand headers looks up most of them again and again.
 *
 * A record repeats an earlier one if it is
 * - a call that failed in the same way for the same path, or that only looked at the same file
 *   under the same path, whichever thread made it, or
 * - a read or a mapping of the same open file by the same thread as it was named then: what such a
 *   call means does not depend on what happened in between, as the file is known by its inode.
 * Anything that changes a file or a name, opens a file, or begins or ends a process is never a
 * repetition; nor is the first record of a thread. So it does not matter in which order records of
 * different CPUs arrive. */
#ifndef IOTRC_REPEATS_H
#define IOTRC_REPEATS_H

#include <stdbool.h>
#include <stddef.h>

struct repeats;

/* 0, or a negative errno. */
int repeats__new(struct repeats **ret);
/* Frees it; NULL is allowed. Returns NULL. */
struct repeats *repeats__free(struct repeats *r);

/* Whether RECORD, a sound event of any stream (encode__sound()), repeats an earlier one. */
bool repeats__has(struct repeats *r, const void *record);

#endif
