/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Publishes metrics: writes them to a file for node_exporter's textfile collector, and answers GET
 * /metrics over HTTP. A thread at low priority does both; the recording only hands over values. */
#ifndef IOTRC_PUBLISHER_H
#define IOTRC_PUBLISHER_H

#include <stdbool.h>
#include <sys/types.h>

#include "metrics/metrics.h"

/* Settings from the options; strings are borrowed. Both may be NULL: nothing is published. */
struct metrics_settings {
	const char *file;   /* path; replaced atomically every PUBLISHER_PERIOD_S */
	const char *listen; /* see listener.h */
};

#define PUBLISHER_PERIOD_S 15 /* as often as Prometheus scrapes by default */
#define PUBLISHER_PROBLEM_MAX 512

struct publisher;

/* Binds the address and opens the file's directory, both of which may need privileges that are
 * given up later. SETTINGS is borrowed until publisher__free(). 0, or a negative errno with a line
 * in PROBLEM. */
int publisher__new(struct publisher **ret, const struct metrics_settings *settings,
		   char problem[PUBLISHER_PROBLEM_MAX]);

/* Writes the file for the first time and starts the thread. SOURCE is copied; what it points to is
 * borrowed until publisher__stop(). UID and GID own the file; -1: this process's. Accepts a NULL P,
 * and does nothing then. 0, or a negative errno with a line in PROBLEM. */
int publisher__start(struct publisher *p, const struct metrics_source *source,
		     const struct metrics_values *values, uid_t uid, gid_t gid,
		     char problem[PUBLISHER_PROBLEM_MAX]);

/* Replaces the values to publish. Accepts a NULL P. */
void publisher__set(struct publisher *p, const struct metrics_values *values);

/* Writes the file for the last time and ends the thread. Accepts a NULL P. False if the thread is
 * stuck in the kernel (a file system that does not answer): the caller must then exit without
 * freeing P. */
bool publisher__stop(struct publisher *p);

/* Stops the thread and frees P, unless the thread is stuck. NULL is allowed. Returns NULL. */
struct publisher *publisher__free(struct publisher *p);

#endif
