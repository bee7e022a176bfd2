// SPDX-License-Identifier: GPL-2.0-or-later
#include "lake/question.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "export/parquet_sql.h"

static int run(const char *sql, const char *question, FILE *said, char why[DUCKDB_WHY_MAX])
{
	char spill[PATH_MAX], *whole = NULL;
	size_t size;
	FILE *all = open_memstream(&whole, &size);
	int err = all ? parquet_sql__spill(spill) : -ENOMEM;

	if (err) {
		snprintf(why, DUCKDB_WHY_MAX, "%s", strerror(-err));
		if (all)
			fclose(all);
		free(whole);
		return err;
	}
	parquet_sql__limits(all, spill);
	fputs(sql, all);
	if (fclose(all)) {
		err = -ENOMEM;
		snprintf(why, DUCKDB_WHY_MAX, "out of memory");
	} else {
		err = duckdb__run(whole, question, said, why);
	}
	rmdir(spill); /* DuckDB has removed its files */
	free(whole);
	return err;
}

int question__ask(const char *sql, const char *question,
		  int (*on_line)(void *arg, const char *line), void *arg, char why[DUCKDB_WHY_MAX])
{
	char *answer = NULL, *line, *rest;
	size_t size;
	FILE *said = open_memstream(&answer, &size);
	int err = -ENOMEM;

	if (said)
		err = run(sql, question, said, why);
	else
		snprintf(why, DUCKDB_WHY_MAX, "out of memory");
	if (said && fclose(said) && !err) {
		err = -ENOMEM;
		snprintf(why, DUCKDB_WHY_MAX, "out of memory");
	}
	rest = answer;
	while (!err && (line = strsep(&rest, "\n")))
		if (*line)
			err = on_line(arg, line);
	free(answer);
	return err;
}
