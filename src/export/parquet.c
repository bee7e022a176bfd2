// SPDX-License-Identifier: GPL-2.0-or-later
#include "export/parquet.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/shown.h"
#include "export/parquet_sql.h"

struct parquet_writer {
	const struct parquet_config *config;
	FILE *sql;
	uint64_t sessions, rows; /* according to the manifests */
};

static int export_session(void *arg, struct session_reader *r)
{
	char directory[PATH_MAX];
	struct parquet_writer *w = arg;
	struct parquet_rows wanted = { .stream = w->config->stream,
				       .directory = directory,
				       .to = UINT64_MAX };
	uint64_t rows = 0;
	int err;

	for (size_t i = 0; i < r->n_files; i++)
		if (r->files[i].stream == wanted.stream)
			rows += r->files[i].rows;
	if (!rows)
		return 0;
	err = parquet_sql__directory(r->fd, directory);
	if (err)
		return err;
	w->rows += rows;
	fputs(w->sessions++ ? "UNION ALL\n" : "", w->sql);
	parquet_sql__select(w->sql, r, &wanted);
	return 0;
}

static int fail_parquet(struct scan_result *ret, int err, const char *what)
{
	char shown[SHOWN_MAX(DUCKDB_WHY_MAX)];

	shown__copy(shown, what, strlen(what));
	snprintf(ret->why, sizeof(ret->why), "%.*s", (int)sizeof(ret->why) - 1, shown);
	return err;
}

/* Runs SQL, then counts the rows of the file. */
static int run(struct parquet_writer *w, const char *sql, uint64_t *ret_rows,
	       struct scan_result *ret)
{
	char why[DUCKDB_WHY_MAX], *question = NULL, *answer = NULL;
	size_t question_size, answer_size;
	FILE *ask = open_memstream(&question, &question_size);
	FILE *said = open_memstream(&answer, &answer_size);
	int err = ask && said ? 0 : fail_parquet(ret, -ENOMEM, "out of memory");

	if (ask) {
		fputs("SELECT count(*) FROM read_parquet(", ask);
		parquet_sql__text(ask, w->config->file);
		fputc(')', ask);
		fclose(ask);
	}
	if (!err) {
		err = duckdb__run(sql, question, said, why);
		if (err)
			fail_parquet(ret, err, why);
	}
	if (said)
		fclose(said);
	*ret_rows = answer ? strtoull(answer, NULL, 10) : 0;
	free(question);
	free(answer);
	if (!err && *ret_rows != w->rows)
		return fail_parquet(ret, -EBADMSG, "not as many rows as the manifests say");
	return err;
}

/* W->sql is "COPY (SELECT ... UNION ALL SELECT ...", which ends up in *TEXT. */
static int copy_rows(struct parquet_writer *w, char **text, uint64_t *ret_rows,
		     struct scan_result *ret)
{
	int failed;

	fputs("ORDER BY machine, session, mono_ns) TO ", w->sql);
	parquet_sql__text(w->sql, w->config->file);
	fprintf(w->sql,
		" (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE %d, USE_TMP_FILE false)",
		PARQUET_ROW_GROUP);
	failed = fclose(w->sql);
	w->sql = NULL;
	return failed ? fail_parquet(ret, -ENOMEM, "out of memory") : run(w, *text, ret_rows, ret);
}

int parquet__write(const struct parquet_config *config, uint64_t *ret_rows, struct scan_result *ret)
{
	struct parquet_writer w = { .config = config };
	struct scan_config scan = { .paths = config->paths, .session = export_session, .arg = &w };
	char *text = NULL, spill[PATH_MAX];
	size_t size;
	int err;

	err = parquet_sql__spill(spill);
	if (err)
		return fail_parquet(ret, err, strerror(-err));
	w.sql = open_memstream(&text, &size);
	if (!w.sql) {
		rmdir(spill);
		return fail_parquet(ret, -ENOMEM, "out of memory");
	}
	parquet_sql__limits(w.sql, spill);
	fputs("COPY (\n", w.sql);
	err = scan__run(&scan, ret);
	if (!err && !w.sessions)
		err = fail_parquet(ret, -ENODATA, "there are no finished rows of this stream");
	if (!err)
		err = copy_rows(&w, &text, ret_rows, ret);
	if (w.sql)
		fclose(w.sql);
	free(text);
	rmdir(spill); /* DuckDB has removed its files */
	return err;
}
