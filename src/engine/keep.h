/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes all that goes into a sink to a file, too: for developers (kept.h, replay/). */
#ifndef IOTRC_KEEP_H
#define IOTRC_KEEP_H

#include <sys/types.h>

#include "base/clock.h"
#include "engine/engine.h"

struct keep;

/* Makes FILE, empties one that is there, and gives it to UID and GID (-1 leaves them). NAMES:
 * the kernel's of block requests; NULL: none. 0, or a negative errno. */
int keep__new(struct keep **ret, const char *file, uid_t uid, gid_t gid,
	      const struct reqnames *names);

/* A sink that keeps what it gets and passes it on to SINK, which is borrowed. Once. */
const struct sink *keep__sink(struct keep *k, const struct sink *sink);

/* Keeps what CLOCK has noticed since the last time. Before the events that it holds for. */
void keep__clock(struct keep *k, struct clock *clock);

/* Writes what is left. 0, or a negative errno: the first error, since which nothing was kept. */
int keep__close(struct keep *k);
/* Frees it; NULL is allowed. Returns NULL. */
struct keep *keep__free(struct keep *k);

#endif
