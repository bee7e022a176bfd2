/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file that is made so that a tracer has to tell of it: it shows that the tracer records, is
 * alive, and has told of all before. */
#ifndef IOTRC_MACOS_MARKER_H
#define IOTRC_MACOS_MARKER_H

#include <stdbool.h>
#include <stddef.h>

enum marker_word { MARKER_BEGIN, MARKER_ALIVE, MARKER_END, MARKER_NONE };

struct marker;

/* Creates a directory for it in DIR, or in that of temporary files if DIR is NULL or not there yet.
 * Returns 0, or a negative errno. */
int marker__new(struct marker **ret, const char *dir);
/* Removes and frees it; NULL is allowed. Returns NULL. */
struct marker *marker__free(struct marker *m);

/* Creates and removes the file that means WORD. */
void marker__touch(const struct marker *m, enum marker_word word);

/* Which word the line S, LEN bytes, tells of; MARKER_NONE: it is about something else. */
enum marker_word marker__find(const struct marker *m, const char *s, size_t len);

#endif
