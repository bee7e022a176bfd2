/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine's containers while an engine records: their names, and the engine's filter, to which
 * the patterns of --container add those that start later.
 *
 * 	struct container_watch w = { .fd = -1, .due_ns = UINT64_MAX };
 *
 * 	container_watch__begin(&w, engine, selection);
 * 	while (recording)
 * 		container_watch__look(&w, poll w.fd until w.due_ns);
 * 	container_watch__end(&w);
 *
 * For one thread at a time. */
#ifndef IOTRC_CONTAINER_WATCH_H
#define IOTRC_CONTAINER_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/containers.h"
#include "engine/engine.h"

struct container_watch {
	struct containers *all; /* NULL: containers are not looked for */
	int fd;                 /* readable when a cgroup was created; or negative */
	uint64_t due_ns;        /* of CLOCK_MONOTONIC: when to look at the latest */
	/* private */
	struct engine *engine;
	const struct selection *selection;
	uint64_t looked_ns; /* when it last looked */
	unsigned int tries;
	bool quiet, reported_left_out, reported_not_added;
};

/* Whether SELECTION has patterns, so that containers have to be followed. */
bool container_watch__follows(const struct selection *selection);

/* Takes ALL over and adds those of its containers that the patterns of SELECTION match to the
 * filter of ENGINE. The last two are borrowed until container_watch__end(). QUIET: containers that
 * are added are not logged. */
void container_watch__begin(struct container_watch *w, struct containers *all,
			    struct engine *engine, const struct selection *selection, bool quiet);

/* Looks for new containers, cgroups and names if it is time, or if cgroups were CREATED. Returns
 * whether there are any. */
bool container_watch__look(struct container_watch *w, bool created);

/* Frees the containers. A W of zeros is ended already. */
void container_watch__end(struct container_watch *w);

#endif
