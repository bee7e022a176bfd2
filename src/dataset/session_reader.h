/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads a session: its manifest and the files listed there. The manifest is untrusted: every member
 * is checked, memory is bounded, and no file outside the session's directory is opened. */
#ifndef IOTRC_SESSION_READER_H
#define IOTRC_SESSION_READER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "dataset/csv_file.h"
#include "schema/streams.h"

#define SESSION_READER_WHY_MAX 512

struct session_reader {
	int fd; /* the session's directory; borrowed */
	json_t *root;
	bool running, recovered;      /* session.state; both are false if it is complete */
	bool finished;                /* it is complete or recovered */
	struct clock_offset *offsets; /* ascending, at least one */
	size_t n_offsets;
	struct file_facts *files; /* ascending by path; their paths belong to ROOT */
	size_t n_files;
	size_t n_columns[STREAM_COUNT]; /* of each stream that the manifest lists; schema.h */

	/* The manifest cannot be used; nothing more is read from it. */
	bool broken;
	char why[SESSION_READER_WHY_MAX]; /* in words, printable */

	/* Called with a printable line for each fault that leaves the rest usable; or NULL. */
	void (*fault)(void *arg, const char *what);
	void *arg;
};

/* Reads the manifest in directory R->fd into R. The caller sets fd, fault and arg, and the other
 * members to 0. 0; or -EBADMSG, with R->broken and R->why set. Call session_reader__clear() in both
 * cases. */
int session_reader__read(struct session_reader *r);

/* Reads only the document and the session's state, of any schema version and whatever else is wrong
 * with it: for what recovers or sends a session. 0, or a negative errno with R->broken and R->why
 * set: -ENOENT if there is no manifest. Call session_reader__clear() in both cases. */
int session_reader__load(struct session_reader *r);

/* The same from FD, which manifest_file__open() has returned, and which stays open. */
int session_reader__load_from(struct session_reader *r, int fd);

/* Reads the clock's offsets of a loaded manifest into R. 0; or -EBADMSG, with R->broken and R->why
 * set. */
int session_reader__clock(struct session_reader *r);

/* Frees what R owns. */
void session_reader__clear(struct session_reader *r);

/* The file of R called PATH ("fs/fs_..._0001.csv.zst"), or NULL. */
const struct file_facts *session_reader__find(const struct session_reader *r, const char *path);

/* Opens FILE, one of R's files, for reading; PART: with the suffix .part. The descriptor, or a
 * negative errno: -EINVAL if it is not a regular file. */
int session_reader__open(const struct session_reader *r, const struct file_facts *file, bool part);

/* Opens NAME in subdirectory SUBDIR of DIR in the same way. No symlink is followed. */
int session_reader__open_in(int dir, const char *subdir, const char *name);

/* What every entry of the manifest's lists of files has. The strings belong to the entry. */
struct session_entry {
	const char *path, *sha256;
	uint64_t bytes;
};

/* Reads ENTRY, whose size is member BYTES_KEY, of any schema version. False if it is malformed: the
 * path must be a visible name in a visible directory. */
bool session_reader__entry(json_t *entry, const char *bytes_key, struct session_entry *ret);

/* ---- for readers of other members of the manifest ---- */

/* Sets R->broken and R->why, unless they are set. */
void session_reader__break(struct session_reader *r, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Calls R->fault. */
void session_reader__fault(struct session_reader *r, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Member KEY of PARENT, which is found at WHERE in the manifest, as a value of TYPE; a negative
 * number, or a missing or other value, breaks the manifest, and NULL, 0 or "" is returned. PARENT
 * may be NULL: then it is broken already. */
json_t *session_reader__member(struct session_reader *r, json_t *parent, const char *where,
			       const char *key, json_type type);
uint64_t session_reader__uint(struct session_reader *r, json_t *parent, const char *where,
			      const char *key);
const char *session_reader__string(struct session_reader *r, json_t *parent, const char *where,
				   const char *key);

#endif
