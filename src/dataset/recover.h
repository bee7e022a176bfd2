/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Recovers a session whose recorder was killed. */
#ifndef IOTRC_RECOVER_H
#define IOTRC_RECOVER_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct recovered {
	unsigned finished;    /* files that were .part */
	unsigned damaged;     /* files that could not be read, and were set aside */
	uint64_t files, rows; /* rows in the session after recovery */
	char why[256];        /* message for a negative errno, escaped */
};

enum recovery { RECOVER_NOTHING, RECOVER_DONE, RECOVER_REMOVED };

/* Recovers session NAME in directory PARENT, and holds its lock meanwhile. RECOVER_NOTHING: the
 * session is complete; RECOVER_DONE; RECOVER_REMOVED: it was empty and has been removed;
 * -EWOULDBLOCK: it is in use; -EINTR: *STOP was set; or another negative errno. A recovery that is
 * interrupted or killed can be repeated. */
int recover__session(int parent, const char *name, const atomic_bool *stop, struct recovered *ret);

/* Describes the result, escaped. Returns the length; 0 if there is nothing to report. */
#define RECOVER_DESCRIBE_MAX 320
size_t recover__describe(char buf[RECOVER_DESCRIBE_MAX], int outcome, const struct recovered *done);

#endif
