/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of fs_usage, for the engine and for tests. */
#ifndef IOTRC_MACOS_FS_USAGE_H
#define IOTRC_MACOS_FS_USAGE_H

#include "engine/macos/state.h"
#include "engine/macos/thread_map.h"

/* What macos.own points to. */
struct fs_usage {
	struct thread_map *threads;
	size_t column; /* see fs_usage_line__parse() */
	/* The process that the system was last asked about, under this name; 0: none. */
	uint32_t queried;
	char queried_as[COMM_BYTES];
};

/* Parses a line of its output and queues the call in it. Returns false if it does not understand
 * the line. */
bool fs_usage__read(struct source *s, char *text, size_t len);
/* Turns a queued call into events. Returns false if it does not understand the call. */
bool fs_usage__take(struct source *s, const struct call_line *l);

#endif
