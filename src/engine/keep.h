/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Also writes everything that goes into a sink to a file, for developers (kept.h, replay/). */
#ifndef IOTRC_KEEP_H
#define IOTRC_KEEP_H

#include <sys/types.h>

#include "base/clock.h"
#include "engine/engine.h"

struct keep;

/* Creates or truncates FILE, owned by UID and GID (-1: unchanged). NAMES: the kernel's names for
 * block requests, or NULL. Returns 0, or a negative errno. */
int keep__new(struct keep **ret, const char *file, uid_t uid, gid_t gid,
	      const struct reqnames *names);

/* Returns a sink that writes its records to the file and passes them on to SINK, which is borrowed.
 * To be called once. */
const struct sink *keep__sink(struct keep *k, const struct sink *sink);

/* Writes CLOCK's new offsets since the last call. To be called before the events that they apply
 * to. */
void keep__clock(struct keep *k, struct clock *clock);

/* Writes what is buffered. Returns 0, or a negative errno: the first error, after which nothing was
 * written. */
int keep__close(struct keep *k);
/* Frees it; NULL is allowed. Returns NULL. */
struct keep *keep__free(struct keep *k);

#endif
