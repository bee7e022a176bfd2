// SPDX-License-Identifier: GPL-2.0-or-later
/* Names of containers, for rows, which contain only ids of cgroups. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/param.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/containers.h"
#include "commands/recording.h"
#include "dataset/manifest.h"
#include "dataset/session.h"
#include "platform/macros.h"

#define FILE_NAME "containers.json"
#define TEMP_NAME ".containers.json.temp"
#define PAUSE_NS UINT64_C(50000000) /* between two refreshes */
#define TRIES 5                     /* to find names, with pauses that grow by a factor of four */

/* Users choose the names of containers: an anonymized recording has none of them. */
void recording__begin_containers(struct recording *r)
{
	if (r->options->anonymize || r->engine->type != engines[0] ||
	    containers__new(&r->containers.all))
		return;
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
	if (grown || c->grown)
		tell(r);
	c->grown = false;
	/* A runtime may create the cgroup before it writes the container's name. */
	c->due_ns =
		all_named || c->tries == TRIES ? UINT64_MAX : now + (PAUSE_NS << 2 * c->tries++);
}
