/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asks DuckDB about files of a lake, within the limits of an export. */
#ifndef IOTRC_QUESTION_H
#define IOTRC_QUESTION_H

#include "export/duckdb.h"

/* Runs SQL ("" for none), then QUESTION, as duckdb__run() does, and calls ON_LINE for each line of
 * the answer; ON_LINE returns 0, or a negative errno, which ends the lines and is returned without
 * a change of WHY. Returns 0, or a negative errno with a line in WHY. */
int question__ask(const char *sql, const char *question,
		  int (*on_line)(void *arg, const char *line), void *arg, char why[DUCKDB_WHY_MAX]);

#endif
