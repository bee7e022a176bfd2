/* SPDX-License-Identifier: GPL-2.0-or-later */
/* manifest.json: what a session contains, how to read it, and what is missing from it. All
 * functions may be called from any thread. If a setter runs out of memory, the next write fails. */
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
	const char *boot_id;    /* mono_ns is comparable within one boot; NULL: unknown */
	const char *command_line;
	const char *engine; /* bpf, dtrace, ... */
	bool anonymized;
	const char *anonymize_key_id; /* of what it is anonymized with; or NULL */
	bool keeps_system;            /* … but system paths are readable */
	uint32_t enabled;             /* 1 << stream for each stream that is on */
	uid_t uid;                    /* owner of the file; -1 leaves it */
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
/* Frees it; NULL is allowed. Returns NULL. */
struct manifest *manifest__free(struct manifest *m);

/* Lists a finished file. FACTS is copied. */
void manifest__add_file(struct manifest *m, const struct file_facts *facts);
/* Sets the clock's whole list so far, replacing the previous one. N is at least 1. */
void manifest__set_offsets(struct manifest *m, const struct clock_offset *offsets, size_t n);
/* Sets the counts of STREAM, replacing the previous ones. */
void manifest__set_counts(struct manifest *m, enum stream stream, const struct row_counts *counts);
/* Sets the list of all hooks, replacing the previous one. */
void manifest__set_hooks(struct manifest *m, const struct manifest_hook *hooks, size_t n);
/* Sets member KEY of the document, replacing the previous value; takes ownership of VALUE. */
void manifest__set(struct manifest *m, const char *key, json_t *value);
/* Sets KEY of the diagnostics to VALUE; takes ownership of VALUE. */
void manifest__set_diagnostic(struct manifest *m, const char *key, json_t *value);
/* Appends VALUE to the array KEY of the document; takes ownership of VALUE. */
void manifest__append(struct manifest *m, const char *key, json_t *value);
/* Sets the state: "running", "complete" or "recovered". The first state other than running also
 * sets the session's end to now. */
void manifest__set_state(struct manifest *m, const char *state);

/* Writes the manifest to directory DIR, replacing the existing one atomically. 0, or a negative
 * errno. On a full disk, the manifest of a running session may not be written, and the previous one
 * remains. The final manifest is always written: its space is reserved from the start. */
int manifest__write(struct manifest *m, int dir);

#endif
