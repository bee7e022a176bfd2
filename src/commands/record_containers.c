// SPDX-License-Identifier: GPL-2.0-or-later
/* Containers during a recording: their names, for rows, which contain only ids of cgroups, and
 * those that the patterns of --container add to the filter. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/param.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/containers.h"
#include "base/log.h"
#include "commands/recording.h"
#include "dataset/manifest.h"
#include "dataset/session.h"
#include "platform/macros.h"

#define FILE_NAME "containers.json"
#define TEMP_NAME ".containers.json.temp"
#define PAUSE_NS UINT64_C(50000000) /* between two refreshes */
/* … at the latest, if rows depend on it: the kernel may notify of no more directories. */
#define FOLLOW_NS UINT64_C(10000000000)
#define TRIES 5 /* to find names, with pauses that grow by a factor of four */

static bool follows(const struct recording *r)
{
	return r->options->selection.n_containers;
}

/* Adds the containers that the patterns of --container match, those with a new name as well. */
static void add_to_filter(struct recording *r)
{
	const struct selection *s = &r->options->selection;

	for (size_t i = 0; i < containers__count(r->containers.all); i++) {
		const struct container *c = containers__get(r->containers.all, i);
		bool wanted = false;
		int err;

		for (size_t j = 0; j < s->n_containers && !wanted; j++)
			wanted = container__is_called(c, s->containers[j]);
		err = wanted ? engine__add_cgroup(r->engine, c->cgroup) : 1;
		if (!err)
			log__line(LOG_INFO, "recording container %s from now on", c->name);
		else if (err < 0)
			log__line(LOG_WARNING, "cannot record container %s: %s", c->name,
				  strerror(-err));
	}
	if (containers__left_out(r->containers.all) && !r->containers.told_left_out++)
		log__line(LOG_WARNING,
			  "too many containers: new ones are no longer recorded; start again");
}

/* Users choose the names of containers: an anonymized recording has none of them. */
static bool names_allowed(const struct recording *r)
{
	return !r->options->anonymize;
}

void recording__begin_containers(struct recording *r)
{
	if ((!names_allowed(r) && !follows(r)) || r->engine->type != engines[0] ||
	    containers__new(&r->containers.all))
		return;
	if (follows(r))
		add_to_filter(r);
	r->containers.fd = containers__watch(r->containers.all);
	r->containers.due_ns = clock__mono_ns();
	r->containers.grown = true; /* since the first refresh */
}

/* Replaces the file, so that a reader sees either the old one or the new one. */
static void write_file(struct recording *r, const json_t *names)
{
	json_t *root =
		json_pack("{s:i, s:I, s:O}", "schema_version", 1, "left_out",
			  (json_int_t)containers__left_out(r->containers.all), "containers", names);
	int dir = r->session->fd, fd = session__create(dir, TEMP_NAME, r->uid, r->gid);
	bool failed = fd < 0 || !root || json_dumpfd(root, fd, JSON_INDENT(1));

	if (fd >= 0)
		close(fd);
	/* On a full disk the old file remains; the manifest has the names, too. */
	if (fd >= 0 && (failed || renameat(dir, TEMP_NAME, dir, FILE_NAME)))
		unlinkat(dir, TEMP_NAME, 0);
	json_decref(root);
}

static void tell(struct recording *r)
{
	json_t *names = containers__json(r->containers.all);

	if (names && json_object_size(names)) {
		write_file(r, names);
		manifest__set(r->manifest, "containers", json_incref(names));
		recording__manifest_grown(r);
	}
	json_decref(names);
}

uint64_t recording__containers_due(const struct recording *r)
{
	return r->containers.all ? r->containers.due_ns : UINT64_MAX;
}

void recording__look_for_containers(struct recording *r, bool created)
{
	struct containers_seen *c = &r->containers;
	uint64_t now = clock__mono_ns();
	bool grown, all_named;

	if (!c->all)
		return;
	if (created) {
		containers__watched(c->all);
		c->tries = 0;
		c->due_ns = MIN(c->due_ns, MAX(now, c->looked_ns + PAUSE_NS));
	}
	if (now < c->due_ns)
		return;
	c->looked_ns = now;
	grown = containers__refresh(c->all, &all_named);
	if ((grown || c->grown) && names_allowed(r))
		tell(r);
	if (follows(r))
		add_to_filter(r);
	c->grown = false;
	/* A runtime may create the cgroup before it writes the container's name. */
	if (!all_named && c->tries < TRIES)
		c->due_ns = now + (PAUSE_NS << 2 * c->tries++);
	else
		c->due_ns = follows(r) ? now + FOLLOW_NS : UINT64_MAX;
}
