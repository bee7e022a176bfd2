/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Adds to a lake the new sessions in the place to which machines upload them. */
#ifndef IOTRC_SYNC_LAKE_H
#define IOTRC_SYNC_LAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "lake/add_session.h"
#include "lake/store.h"

struct sync_lake_config {
	struct store *from, *to;
	bool again; /* also adds sessions that the lake has already */
	/* Called with a line about each session that is left out or has to wait. SESSION: its
	 * directory below FROM; "." for FROM itself. */
	void (*say)(void *arg, const char *session, const char *what);
	void *arg;
};

struct sync_lake {
	uint64_t found; /* sessions, and symbolic links behind which sessions may be */
	uint64_t added, rows, files, lost;
	uint64_t known;    /* sessions that the lake has already */
	uint64_t waiting;  /* … being recorded, or without a manifest so far */
	uint64_t left_out; /* … that differ from their manifests */
	char why[STORE_WHY_MAX];
};

/* Adds each finished session in or below FROM that the lake TO does not have. Sessions are
 * directories with a manifest.json, at any depth; FROM itself may be one. What was added before a
 * failure remains. Two that run at once do the work twice, without harm. Returns 0, or a negative
 * errno with RET->why. */
int sync_lake(const struct sync_lake_config *config, struct sync_lake *ret);

#endif
