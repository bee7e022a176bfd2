/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The order of a row's fields. An encoder names each column that it writes; a build with
 * CHECK_COLUMNS (DEBUG=1, and all with sanitizers) compares them with the schema, others write the
 * comma and nothing else. */
#ifndef IOTRC_COLUMN_H
#define IOTRC_COLUMN_H

#include "schema/streams.h"

#ifdef CHECK_COLUMNS
void column__begin(enum stream stream);
/* Aborts, with a line on stderr, unless NAMES, ended by NULL, are the next columns. */
void column__next(const char *const *names);
void column__end(void);
#else
#define column__begin(stream) ((void)(stream))
#define column__next(names) ((void)0)
#define column__end() ((void)0)
#endif

/* Ends the field before, at P, where the field of the named column begins; or the fields, where
 * what is written next has several. */
#define COLUMN(p, ...) \
	do { \
		column__next(((const char *const[]){ __VA_ARGS__, NULL })); \
		*(p)++ = ','; \
	} while (0)

#endif
