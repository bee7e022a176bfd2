/* SPDX-License-Identifier: GPL-2.0-or-later */
/* manifest.json: what a session holds, how to read it, and what is missing from it. Every function
 * may be called from any thread. A setter that runs out of memory makes the next write say so. */
#ifndef IOTRC_MANIFEST_H
#define IOTRC_MANIFEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/clock.h"
#include "dataset/csv_file.h"
#include "dataset/manifest_file.h"
#include "schema/row_counts.h"
#include "schema/streams.h"

struct manifest_info {
	const char *machine_id;
	const char *session_id; /* BUCKET/MACHINE_ID/STAMP */
	const char *boot_id;    /* mono_ns compares within one; NULL where it isn't known */
	const char *command_line;
	const char *engine; /* bpf, dtrace, ... */
	bool anonymized;
	bool keeps_system; /* … and system paths are clear all the same */
	uint32_t enabled;  /* 1 << stream for each stream that is on */
	uid_t uid;         /* owner of the file; -1 leaves it */
	gid_t gid;
};

struct manifest_hook {
	const char *name;
	uint32_t streams; /* 1 << stream for each that it feeds */
	bool attached;
	uint64_t fired, missed; /* times it ran; times that the kernel left it out */
	const char *gives;      /* not attached: what the streams lack without it; or NULL */
};

struct manifest;

/* A manifest in state running, started now. INFO is copied. 0, or a negative errno. */
int manifest__new(struct manifest **ret, const struct manifest_info *info);
struct manifest *manifest__free(struct manifest *m);

void manifest__add_file(struct manifest *m, const struct file_facts *facts);
/* The clock's whole list so far; replaces the last one. N is at least 1. */
void manifest__set_offsets(struct manifest *m, const struct clock_offset *offsets, size_t n);
void manifest__set_counts(struct manifest *m, enum stream stream, const struct row_counts *counts);
/* All hooks; replaces the last list. */
void manifest__set_hooks(struct manifest *m, const struct manifest_hook *hooks, size_t n);
/* Puts VALUE, which becomes the manifest's, under KEY of the diagnostics. */
void manifest__set_diagnostic(struct manifest *m, const char *key, json_t *value);
/* Adds VALUE, which becomes the manifest's, to the array KEY of the document. */
void manifest__append(struct manifest *m, const char *key, json_t *value);
/* "running", "complete" or "recovered"; all but running stop the session now, once. */
void manifest__set_state(struct manifest *m, const char *state);

/* Puts the manifest into directory DIR under its name, in the place of the one that is there:
 * whole, or not at all. 0, or a negative errno. A full disk can stop one of a running session, and
 * the one before stays; it doesn't stop that of the end, for which room is kept from the first. */
int manifest__write(struct manifest *m, int dir);

#endif
