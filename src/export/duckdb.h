/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs SQL in DuckDB, which is found at run time: the library, loaded into this process, or the
 * program. iotrc is not linked with it. */
#ifndef IOTRC_DUCKDB_H
#define IOTRC_DUCKDB_H

#include <stdio.h>

#define DUCKDB_WHY_MAX 512

/* Runs SQL, statements separated by ';', in a database in memory, then QUESTION, a query with one
 * column, and writes a line to ANSWER for each row; its values have no line feeds. The library
 * is the file $IOTRC_DUCKDB, or libduckdb.so where the dynamic linker finds it; otherwise the
 * program `duckdb` in $PATH is run. 0, or a negative errno with a line in WHY: -ENOENT if there is
 * neither; -EIO if DuckDB reports an error, which WHY quotes (not escaped). */
int duckdb__run(const char *sql, const char *question, FILE *answer, char why[DUCKDB_WHY_MAX]);

/* From hold to release, calls of duckdb__run() share one database of the library, because opening
 * one costs as much as a small session. Their SQL must therefore leave nothing behind. Calls nest;
 * for one thread. The release closes the database. */
void duckdb__hold(void);
void duckdb__release(void);

#endif
