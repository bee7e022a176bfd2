/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file that is created so that the tracer reports it: this shows that the tracer records, is
 * alive, and has reported everything before. */
#ifndef IOTRC_MACOS_MARKER_H
#define IOTRC_MACOS_MARKER_H

#include <stdbool.h>
#include <stddef.h>

enum marker_word { MARKER_BEGIN, MARKER_ALIVE, MARKER_END, MARKER_NONE };

struct marker;

/* Creates a directory for it in DIR, or in the directory for temporary files if DIR is NULL or does
 * not exist yet. Returns 0, or a negative errno. */
int marker__new(struct marker **ret, const char *dir);
/* Removes and frees it; NULL is allowed. Returns NULL. */
struct marker *marker__free(struct marker *m);

/* Creates and removes the file that means WORD. */
void marker__touch(const struct marker *m, enum marker_word word);

/* Returns the word that the line S (LEN bytes) reports, or MARKER_NONE if it is about something
 * else. */
enum marker_word marker__find(const struct marker *m, const char *s, size_t len);

#endif
