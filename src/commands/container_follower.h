/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A thread that adds containers to the filter of an engine, as the patterns of --container match
 * them. For commands that have no other use for the containers. */
#ifndef IOTRC_CONTAINER_FOLLOWER_H
#define IOTRC_CONTAINER_FOLLOWER_H

#include "engine/engine.h"

struct container_follower;

/* Adds the containers that run, and starts the thread; *RET is NULL if SELECTION has no patterns.
 * ENGINE and SELECTION are borrowed until container_follower__free(). QUIET: containers that are
 * added are not logged. Returns 0, or a negative errno. */
int container_follower__new(struct container_follower **ret, struct engine *engine,
			    const struct selection *selection, bool quiet);
/* Ends the thread; NULL is allowed. Returns NULL. */
struct container_follower *container_follower__free(struct container_follower *f);

#endif
