/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SQL for DuckDB that reads the CSV of a session with the types of the schema. */
#ifndef IOTRC_PARQUET_SQL_H
#define IOTRC_PARQUET_SQL_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "dataset/session_reader.h"

#define PARQUET_ROW_GROUP 122880 /* rows: DuckDB's default, a multiple of its vectors */

/* Rows of one stream of a session. */
struct parquet_rows {
	enum stream stream;
	const char *directory; /* of the session; absolute */
	bool lake; /* its files' paths have keys: machine is machine_id, stream is stream_name */
	uint64_t from, to; /* mono_ns, both included; 0 and UINT64_MAX: all */
};

/* Writes S as a string literal: quotes are doubled. */
void parquet_sql__text(FILE *sql, const char *s);

/* Limits DuckDB's memory; what does not fit goes to directory SPILL. */
void parquet_sql__limits(FILE *sql, const char *spill);

/* Writes SELECT ... FROM ... for ROWS of R: the machine, session and boot, then the columns of the
 * schema, NULL where R's recorder was older than a column. */
void parquet_sql__select(FILE *sql, const struct session_reader *r,
			 const struct parquet_rows *rows);

/* Whether FILE may contain some of ROWS. */
bool parquet_sql__has(const struct file_facts *file, const struct parquet_rows *rows);

/* Gets the path of directory FD. 0, or a negative errno. */
int parquet_sql__directory(int fd, char ret[PATH_MAX]);

/* Makes a directory for parquet_sql__limits() in $TMPDIR; the caller removes it, with rmdir():
 * DuckDB removes its files. 0, or a negative errno. */
int parquet_sql__spill(char ret[PATH_MAX]);

#endif
