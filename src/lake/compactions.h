/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which files of a lake count. `iotrc lake compact` merges files of a day; the day then has a list
 * of the files that were added (in machine=all) and of those that they replace:
 *
 * 	a file in machine=all counts if the list has it; any other file, if the list does not.
 *
 * The list is one file that is created or replaced as a whole. So a compaction is atomic: before
 * it, readers use the old files; after it, the new ones. Replaced files stay in the list when they
 * have been removed, so exporting their sessions again does no harm. */
#ifndef IOTRC_COMPACTIONS_H
#define IOTRC_COMPACTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "lake/entries.h"
#include "lake/layout.h"
#include "lake/store.h"

/* Names as in lake/layout.h; n: rows. */
struct compactions {
	struct entries added, replaced;
	struct entries lists; /* n: the time at which each was written, in seconds since 1970 */
};

/* Reads the lists of all days, or (ONLY not NULL) of the one day. 0, or a negative errno with a
 * line in WHY. */
int compactions__read(struct store *s, const int64_t *only, struct compactions *ret,
		      char why[STORE_WHY_MAX]);

/* Whether rows of file NAME count. */
bool compactions__counts(struct compactions *c, const char *name);

/* Whether files that were added on DAY have rows. If none have, the day has expired. */
bool compactions__has_rows(struct compactions *c, int64_t day);

/* Publishes C's entries of DAY as its list. Returns 0, or a negative errno with a line in WHY. */
int compactions__write(struct store *s, int64_t day, const struct compactions *c,
		       char why[STORE_WHY_MAX]);

/* When the list of DAY was written, in seconds since 1970; INT64_MIN if there is none. */
int64_t compactions__written(struct compactions *c, int64_t day);

/* The name of the list of DAY. */
void compactions__name(char ret[STORE_NAME_MAX], int64_t day);

/* If there is no list, publishes an empty one for a day in 1970, because SQL views need one.
 * Returns 0, or a negative errno with a line in WHY. */
int compactions__begin(struct store *s, char why[STORE_WHY_MAX]);

/* Frees what C holds. */
void compactions__clear(struct compactions *c);

#endif
