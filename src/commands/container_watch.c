// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/container_watch.h"

#include <string.h>
#include <sys/param.h>

#include "base/clock.h"
#include "base/log.h"

#define PAUSE_NS UINT64_C(50000000) /* between two refreshes */
/* … at the latest, if the filter depends on it: the kernel may notify of no more directories. */
#define FOLLOW_NS UINT64_C(10000000000)
#define TRIES 5 /* to find names, with pauses that grow by a factor of four */

bool container_watch__follows(const struct selection *selection)
{
	return selection->n_containers;
}

static bool is_wanted_container(const struct selection *s, const struct container *c)
{
	for (size_t i = 0; i < s->n_containers; i++)
		if (container__is_called(c, s->containers[i]))
			return true;
	return false;
}

static void record_container(struct container_watch *w, const struct container *c)
{
	int err = engine__add_cgroup(w->engine, c->cgroup);

	if (!err && !w->quiet)
		log__line(LOG_INFO, "recording container %s from now on", c->name);
	/* Once: each look would meet it again, and it is not the only one. */
	if (err < 0 && !w->reported_not_added) {
		w->reported_not_added = true;
		log__line(LOG_WARNING, "cannot record all containers that --container matches: %s",
			  strerror(-err));
	}
}

/* Adds what the patterns match, containers with a new name as well. */
static void add_to_filter(struct container_watch *w)
{
	for (size_t i = 0; i < containers__count(w->all); i++)
		if (is_wanted_container(w->selection, containers__get(w->all, i)))
			record_container(w, containers__get(w->all, i));
	if (containers__left_out(w->all) && !w->reported_left_out) {
		w->reported_left_out = true;
		log__line(LOG_WARNING,
			  "too many containers: new ones are no longer recorded; start again");
	}
}

void container_watch__begin(struct container_watch *w, struct containers *all,
			    struct engine *engine, const struct selection *selection, bool quiet)
{
	*w = (struct container_watch){
		.all = all, .engine = engine, .selection = selection, .quiet = quiet
	};
	if (container_watch__follows(selection))
		add_to_filter(w);
	w->fd = containers__watch(all);
	w->due_ns = clock__mono_ns();
}

bool container_watch__look(struct container_watch *w, bool created)
{
	uint64_t now = clock__mono_ns();
	bool grown, all_named, follows;

	if (!w->all)
		return false;
	if (created) {
		containers__watched(w->all);
		w->tries = 0;
		w->due_ns = MIN(w->due_ns, MAX(now, w->looked_ns + PAUSE_NS));
	}
	if (now < w->due_ns)
		return false;
	w->looked_ns = now;
	grown = containers__refresh(w->all, &all_named);
	follows = container_watch__follows(w->selection);
	if (follows)
		add_to_filter(w);
	/* A runtime may create the cgroup before it writes the container's name. */
	if (!all_named && w->tries < TRIES)
		w->due_ns = now + (PAUSE_NS << 2 * w->tries++);
	else
		w->due_ns = follows ? now + FOLLOW_NS : UINT64_MAX;
	return grown;
}

void container_watch__end(struct container_watch *w)
{
	w->all = containers__free(w->all);
}
