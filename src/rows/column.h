/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks the order of a row's fields. Encoders name each column that they write. Builds with
 * CHECK_COLUMNS (DEBUG=1 and all sanitizer builds) compare the names with the schema; other builds
 * only write the comma. */
#ifndef IOTRC_COLUMN_H
#define IOTRC_COLUMN_H

#include "schema/streams.h"

#ifdef CHECK_COLUMNS
/* Begins a row of STREAM. */
void column__begin(enum stream stream);
/* Aborts with a line on stderr unless NAMES, a list that ends with NULL, are the next columns. */
void column__next(const char *const *names);
/* Aborts unless the row has had all columns. */
void column__end(void);
#else
#define column__begin(stream) ((void)(stream))
#define column__next(names) ((void)0)
#define column__end() ((void)0)
#endif

/* Ends the previous field at P and begins that of the named column, or of the named columns if the
 * next text contains several fields. */
#define COLUMN(p, ...) \
	do { \
		column__next(((const char *const[]){ __VA_ARGS__, NULL })); \
		*(p)++ = ','; \
	} while (0)

#endif
