// SPDX-License-Identifier: GPL-2.0-or-later
#include "lake/compactions.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export/parquet_sql.h"
#include "lake/question.h"

#define WITH_ROWS 2 /* `seen` of a list with added files of rows */
#define LISTS LAKE_TOP "stream=" LAKE_COMPACTED "/"

static int64_t day_of(const char *name)
{
	struct lake_name parsed;

	return lake_layout__parse(name, &parsed) ? parsed.day : 0;
}

void compactions__name(char ret[STORE_NAME_MAX], int64_t day)
{
	lake_layout__name(ret, LAKE_COMPACTED, day, LAKE_ALL, "files", 0);
}

/* ---- read ---- */

struct reading {
	struct store *store;
	struct compactions *ret;
	const char *why; /* of a failure while listing */
};

static int on_list(void *arg, const struct store_file *file)
{
	struct reading *r = arg;

	if (file->temporary || day_of(file->name) <= 0)
		return 0;
	if (entries__add(&r->ret->lists, file->name, "", file->modified)) {
		r->why = "out of memory";
		return -ENOMEM;
	}
	return 0;
}

/* "name rows added" */
static int on_line(void *arg, const char *line)
{
	struct compactions *c = arg;
	char name[STORE_NAME_MAX];
	uint64_t rows;
	int added;

	if (sscanf(line, "%511s %" SCNu64 " %d", name, &rows, &added) != 3)
		return -EBADMSG;
	return entries__add(added ? &c->added : &c->replaced, name, "", rows);
}

static int read_list(struct store *s, const char *name, struct compactions *c,
		     char why[STORE_WHY_MAX])
{
	char *path, *question = NULL, what[DUCKDB_WHY_MAX] = "";
	size_t size;
	FILE *sql;
	int err = store__fetch(s, name, &path);

	if (err)
		return store__explain(why, err, store__why(s));
	sql = open_memstream(&question, &size);
	if (sql) {
		fputs("SELECT file || ' ' || rows || ' ' || added::INTEGER FROM read_parquet(",
		      sql);
		parquet_sql__text(sql, path);
		fputs(", hive_partitioning = false)", sql);
		fclose(sql);
		err = question__ask("", question, on_line, c, what);
	} else {
		err = -ENOMEM;
	}
	store__release(s, path);
	free(question);
	return err ? store__explain(why, err, *what ? what : strerror(-err)) : 0;
}

static void note_rows(struct compactions *c)
{
	char list[STORE_NAME_MAX];
	struct lake_name name;

	for (size_t i = 0; i < c->added.n; i++) {
		if (!lake_layout__parse(c->added.at[i].key, &name) ||
		    !strcmp(name.stream, LAKE_SESSIONS))
			continue;
		compactions__name(list, name.day);
		struct entry *e = entries__find(&c->lists, list);

		if (e)
			e->seen = WITH_ROWS;
	}
}

int compactions__read(struct store *s, const int64_t *only, struct compactions *ret,
		      char why[STORE_WHY_MAX])
{
	struct reading r = { .store = s, .ret = ret };
	char prefix[STORE_NAME_MAX] = LISTS, date[LAKE_DATE_SIZE];
	int err;

	*ret = (struct compactions){ .added.n = 0 };
	if (only) {
		lake_layout__date(date, *only);
		snprintf(prefix, sizeof(prefix), LISTS "date=%s/", date);
	}
	err = store__list(s, prefix, on_list, &r);
	if (err)
		store__explain(why, err, r.why ?: store__why(s));
	entries__unite(&ret->lists);
	for (size_t i = 0; i < ret->lists.n && !err; i++)
		err = read_list(s, ret->lists.at[i].key, ret, why);
	entries__unite(&ret->added);
	entries__unite(&ret->replaced);
	note_rows(ret);
	return err;
}

bool compactions__counts(struct compactions *c, const char *name)
{
	return strstr(name, "/machine=" LAKE_ALL "/") ? entries__find(&c->added, name) != NULL :
							!entries__find(&c->replaced, name);
}

int64_t compactions__written(struct compactions *c, int64_t day)
{
	char name[STORE_NAME_MAX];
	struct entry *e;

	compactions__name(name, day);
	e = entries__find(&c->lists, name);
	return e ? (int64_t)e->n : INT64_MIN;
}

bool compactions__has_rows(struct compactions *c, int64_t day)
{
	char name[STORE_NAME_MAX];
	struct entry *e;

	compactions__name(name, day);
	e = entries__find(&c->lists, name);
	return e && e->seen == WITH_ROWS;
}

/* ---- write ---- */

static void put_day_files(FILE *sql, const struct entries *files, int64_t day, bool added)
{
	for (size_t i = 0; i < files->n; i++) {
		const struct entry *e = &files->at[i];

		if (day_of(e->key) != day)
			continue;
		fputs(",\n(", sql);
		parquet_sql__text(sql, e->key);
		fprintf(sql, ", %" PRIu64 ", %s)", e->n, added ? "true" : "false");
	}
}

/* The first SELECT gives the types, with a NULL row that WHERE leaves out. */
static void put_list(FILE *sql, int64_t day, const struct compactions *c, const char *path)
{
	fputs("COPY (SELECT CAST(file AS VARCHAR) AS file, CAST(rows AS UBIGINT) AS rows, "
	      "CAST(added AS BOOLEAN) AS added FROM (VALUES (NULL, 0, false)",
	      sql);
	put_day_files(sql, &c->added, day, true);
	put_day_files(sql, &c->replaced, day, false);
	fputs(") AS t(file, rows, added) WHERE file IS NOT NULL) TO ", sql);
	parquet_sql__text(sql, path);
	fputs(" (FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false);\n", sql);
}

static int no_line(void *arg, const char *line)
{
	return 0;
}

int compactions__write(struct store *s, int64_t day, const struct compactions *c,
		       char why[STORE_WHY_MAX])
{
	char name[STORE_NAME_MAX], *path, *text = NULL, what[DUCKDB_WHY_MAX] = "";
	size_t size;
	FILE *sql;
	int err;

	compactions__name(name, day);
	err = store__stage(s, name, &path);
	if (err)
		return store__explain(why, err, store__why(s));
	sql = open_memstream(&text, &size);
	if (sql) {
		put_list(sql, day, c, path);
		fclose(sql);
		err = question__ask(text, "SELECT 1", no_line, NULL, what);
	} else {
		err = -ENOMEM;
	}
	free(text);
	if (err) {
		store__drop(s, path);
		return store__explain(why, err, *what ? what : strerror(-err));
	}
	err = store__publish(s, name, path);
	return err ? store__explain(why, err, store__why(s)) : 0;
}

int compactions__begin(struct store *s, char why[STORE_WHY_MAX])
{
	const struct compactions none = { .added.n = 0 };
	bool there = false;
	int err = store__has(s, LISTS, &there);

	if (err)
		return store__explain(why, err, store__why(s));
	return there ? 0 : compactions__write(s, 0, &none, why);
}

void compactions__clear(struct compactions *c)
{
	entries__clear(&c->added);
	entries__clear(&c->replaced);
	entries__clear(&c->lists);
}
