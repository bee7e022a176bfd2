// SPDX-License-Identifier: GPL-2.0-or-later
/* Containers during a recording: their names, for rows, which contain only ids of cgroups, and
 * those that the patterns of --container add to the filter. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/containers.h"
#include "commands/recording.h"
#include "dataset/manifest.h"
#include "dataset/session.h"

#define FILE_NAME "containers.json"
#define TEMP_NAME ".containers.json.temp"

/* Users choose the names of containers: an anonymized recording has none of them. */
static bool names_allowed(const struct recording *r)
{
	return !r->options->anonymize;
}

void recording__begin_containers(struct recording *r)
{
	const struct selection *selection = &r->options->selection;
	struct containers *all;

	if ((!names_allowed(r) && !container_watch__follows(selection)) ||
	    r->engine->type != engines[0] || containers__new(&all))
		return;
	container_watch__begin(&r->containers, all, r->engine, selection, !names_allowed(r));
	r->containers_changed = true;
}

/* Replaces the file, so that a reader sees either the old one or the new one. */
static void write_container_names(struct recording *r, const json_t *names)
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

static void publish_names(struct recording *r)
{
	json_t *names = containers__json(r->containers.all);

	if (names && json_object_size(names)) {
		write_container_names(r, names);
		manifest__set(r->manifest, "containers", json_incref(names));
		recording__manifest_grown(r);
	}
	json_decref(names);
}

void recording__look_for_containers(struct recording *r, bool created)
{
	r->containers_changed |= container_watch__look(&r->containers, created);
	if (!r->containers_changed)
		return;
	r->containers_changed = false;
	if (names_allowed(r))
		publish_names(r);
}
