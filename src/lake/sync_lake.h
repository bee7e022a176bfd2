/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Adds to a lake what is new where machines upload their sessions. */
#ifndef IOTRC_SYNC_LAKE_H
#define IOTRC_SYNC_LAKE_H

#include <stdint.h>

#include "lake/add_session.h"
#include "lake/store.h"

struct sync_lake {
	uint64_t added, rows, files, lost;
	uint64_t known;    /* sessions that the lake had */
	uint64_t waiting;  /* … that are being recorded, or whose manifest is not there yet */
	uint64_t left_out; /* … that are not as their manifests say */
	char why[STORE_WHY_MAX];
};

/* Adds each finished session below FROM that the lake TO does not know: at any depth, directories
 * with a manifest.json. Calls SAY with a line for each that it leaves out or that waits. What was
 * added before a failure stays; two at once do the same work, and no harm. 0, or a negative errno
 * with RET->why. */
int sync_lake(struct store *from, struct store *to,
	      void (*say)(void *arg, const char *session, const char *what), void *arg,
	      struct sync_lake *ret);

#endif
