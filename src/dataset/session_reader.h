/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads a session: its manifest, which names its files, and the files' rows. What the manifest says
 * may be anybody's: every member is checked, memory is bounded, and nothing outside the session's
 * directory is opened. */
#ifndef IOTRC_SESSION_READER_H
#define IOTRC_SESSION_READER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "dataset/csv_file.h"

#define SESSION_READER_WHY_MAX 512

struct session_reader {
	int fd; /* the session's directory; borrowed */
	json_t *root;
	bool running, recovered;      /* session.state; neither: complete */
	struct clock_offset *offsets; /* ascending, at least one */
	size_t n_offsets;
	struct file_facts *files; /* ascending by path; their paths belong to ROOT */
	size_t n_files;

	/* Set by whatever finds that the manifest can't be used; nothing is read from it after. */
	bool broken;
	char why[SESSION_READER_WHY_MAX]; /* in words, printable */

	/* Called with what is wrong but leaves the rest usable, a printable line; or NULL. */
	void (*fault)(void *arg, const char *what);
	void *arg;
};

/* Reads the manifest in directory R->fd into R, whose fd, fault and arg are set and whose other
 * members are 0. 0, or -EBADMSG: R->broken and R->why say what is wrong; in both cases
 * session_reader__clear() is due. */
int session_reader__read(struct session_reader *r);

/* Frees what R owns. */
void session_reader__clear(struct session_reader *r);

/* The file of R called PATH ("fs/fs_..._0001.csv.zst"), or NULL. */
const struct file_facts *session_reader__find(const struct session_reader *r, const char *path);

/* Opens FILE, one of those of R or the same with .part at its end (PART), for reading. The
 * descriptor of a regular file, or a negative errno: -EINVAL where it isn't one. */
int session_reader__open(const struct session_reader *r, const struct file_facts *file, bool part);

/* Opens NAME in the subdirectory SUBDIR of directory DIR likewise; no symbolic link is followed. */
int session_reader__open_in(int dir, const char *subdir, const char *name);

/* ---- for those who read more of the manifest ---- */

/* Says why the manifest can't be used, unless that has been said. */
void session_reader__break(struct session_reader *r, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Tells FAULT. */
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
