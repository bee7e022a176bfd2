/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of the files of a lake: v=1/stream=STREAM/date=YYYY-MM-DD/machine=ID/SESSION-N.parquet. The
 * rows about a session are in a file of their own: v=1/stream=sessions/date=.../machine=ID/
 * SESSION.parquet. Files that `iotrc lake compact` has merged are in machine=all. The list of the
 * files of a day that count (lake/compactions.h) is
 * v=1/stream=compacted/date=.../machine=all/files.parquet. */
#ifndef IOTRC_LAKE_LAYOUT_H
#define IOTRC_LAKE_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "lake/store.h"

#define LAKE_TOP "v=1/"
#define LAKE_SESSIONS "sessions"
#define LAKE_COMPACTED "compacted"
#define LAKE_ALL "all"
#define LAKE_PART_MAX 128 /* of a part of a name, with NUL */
#define LAKE_KEY_MAX (2 * LAKE_PART_MAX)

/* YYYY-MM-DD of DAY since 1970. */
#define LAKE_DATE_SIZE 16
void lake_layout__date(char ret[LAKE_DATE_SIZE], int64_t day);

/* Parses YYYY-MM-DD into the day since 1970. */
bool lake_layout__day(const char *date, int64_t *ret);

/* Whether ID can be the machine or the session in a name: letters, digits, _ and -. */
bool lake_layout__is_id(const char *id);

/* The name of a file; N 0: without a number. */
void lake_layout__name(char ret[STORE_NAME_MAX], const char *stream, int64_t day,
		       const char *machine, const char *session, unsigned int n);

struct lake_name {
	char stream[LAKE_PART_MAX], machine[LAKE_PART_MAX], session[LAKE_PART_MAX];
	int64_t day;
};

/* Parses a name. Returns false if it is not a name of a lake's file. */
bool lake_layout__parse(const char *name, struct lake_name *ret);

/* MACHINE/SESSION of a name. */
void lake_layout__key(const struct lake_name *name, char ret[LAKE_KEY_MAX]);

#endif
