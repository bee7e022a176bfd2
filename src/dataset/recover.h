/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes a session whole whose recorder was killed. */
#ifndef IOTRC_RECOVER_H
#define IOTRC_RECOVER_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct recovered {
	unsigned finished;    /* files that were .part */
	unsigned damaged;     /* files that couldn't be read, and are left aside */
	uint64_t files, rows; /* of the session as it is now */
	char why[256];        /* of a negative errno, escaped */
};

enum recovery { RECOVER_NOTHING, RECOVER_DONE, RECOVER_REMOVED };

/* Recovers session NAME in directory PARENT, unless it is whole. Takes its lock for as long as that
 * lasts. RECOVER_NOTHING: it needs nothing; RECOVER_DONE; RECOVER_REMOVED: it held nothing, and is
 * gone; -EWOULDBLOCK: it is in use; -EINTR: *STOP was set, the rest can be done another time; or
 * another negative errno. It may be killed at any moment and done again. */
int recover__session(int parent, const char *name, const atomic_bool *stop, struct recovered *ret);

/* Says in words, escaped, what came of it; returns the length: 0, there is nothing to say. */
#define RECOVER_DESCRIBE_MAX 320
size_t recover__describe(char buf[RECOVER_DESCRIBE_MAX], int outcome, const struct recovered *done);

#endif
