// SPDX-License-Identifier: GPL-2.0-or-later
#include "lake/add_session.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataset/journal.h"
#include "export/duckdb.h"
#include "export/parquet_sql.h"
#include "lake/layout.h"
#include "lake/pieces.h"
#include "lake/session_row.h"
#include "schema/schema.h"

#define LOADED "loaded_rows"

/* A file that is not yet published. */
struct staged {
	enum stream stream;
	char name[STORE_NAME_MAX];
	char *path;
	uint64_t rows;
};

struct addition {
	struct store *store;
	const struct session_reader *r;
	struct added_session *ret;
	const char *machine, *session;
	char directory[PATH_MAX], spill[PATH_MAX];
	FILE *sql, *question;
	struct staged *staged;
	size_t n;
	struct staged about; /* the session's file in `sessions` */
};

/* The store, memory or DuckDB is at fault, not the session. */
static int fail_all(struct addition *a, int err, const char *what)
{
	a->ret->general = true;
	return store__explain(a->ret->why, err, what);
}

/* ---- checking the session against its manifest ---- */

static int check_file(struct addition *a, const struct file_facts *file)
{
	int fd = session_reader__open(a->r, file, false), err = fd < 0 ? fd : 0;
	const char *what = NULL;
	struct stat st;
	char sha256[65];

	if (!err && fstat(fd, &st))
		err = -errno;
	if (!err)
		err = journal__sha256(fd, sha256);
	if (!err && (uint64_t)st.st_size != file->compressed_bytes)
		what = "not as long as the manifest says";
	else if (!err && strcmp(sha256, file->sha256))
		what = "its sha256 is not the manifest's";
	if (fd >= 0)
		close(fd);
	if (!err && !what)
		return 0;
	snprintf(a->ret->why, sizeof(a->ret->why), "%s: %s", file->path, what ?: strerror(-err));
	return err ?: -EBADMSG;
}

static int check(struct addition *a)
{
	const struct session_reader *r = a->r;
	int err = 0;

	if (r->broken)
		return store__explain(a->ret->why, -EBADMSG, r->why);
	a->machine = json_string_value(json_object_get(r->root, "machine_id")) ?: "";
	a->session = session_row__name(r);
	if (!lake_layout__is_id(a->machine) || !strcmp(a->machine, LAKE_ALL) ||
	    !lake_layout__is_id(a->session))
		return store__explain(a->ret->why, -EBADMSG,
				      "the manifest's machine_id or session_id is no name");
	for (size_t i = 0; i < r->n_files && !err; i++)
		err = check_file(a, &r->files[i]);
	return err;
}

/* ---- writing, by DuckDB ---- */

static int stage(struct addition *a, struct staged *s)
{
	int err = store__stage(a->store, s->name, &s->path);

	return err ? fail_all(a, err, store__why(a->store)) : 0;
}

static void put_options(FILE *sql)
{
	fprintf(sql,
		" (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE %d, USE_TMP_FILE false);\n",
		PARQUET_ROW_GROUP);
}

static bool has_rows(const struct session_reader *r, const struct parquet_rows *rows)
{
	for (size_t i = 0; i < r->n_files; i++)
		if (parquet_sql__has(&r->files[i], rows))
			return true;
	return false;
}

/* The stream has rows of one row group at most. */
static bool is_small(const struct session_reader *r, enum stream stream)
{
	uint64_t n = 0;

	for (size_t i = 0; i < r->n_files; i++)
		if (r->files[i].stream == stream)
			n += r->files[i].rows;
	return n <= PARQUET_ROW_GROUP;
}

/* LOADED: all rows of the stream are in the table. */
static int put_piece(struct addition *a, enum stream stream, const struct lake_piece *piece,
		     bool loaded)
{
	struct parquet_rows rows = { stream, a->directory, true, piece->from, piece->to };
	struct staged *more, *s;
	int err;

	if (!has_rows(a->r, &rows))
		return 0;
	more = reallocarray(a->staged, a->n + 1, sizeof(*more));
	if (!more)
		return fail_all(a, -ENOMEM, "out of memory");
	a->staged = more;
	s = &a->staged[a->n];
	*s = (struct staged){ .stream = stream };
	lake_layout__name(s->name, schema_streams[stream].key, piece->day, a->machine, a->session,
			  piece->n);
	err = stage(a, s);
	if (err)
		return err;
	fputs("COPY (", a->sql);
	if (loaded)
		fprintf(a->sql,
			"FROM " LOADED " WHERE mono_ns BETWEEN %" PRIu64 " AND %" PRIu64 "\n",
			rows.from, rows.to);
	else
		parquet_sql__select(a->sql, a->r, &rows);
	fputs("ORDER BY mono_ns) TO ", a->sql);
	parquet_sql__text(a->sql, s->path);
	put_options(a->sql);
	fprintf(a->question, "%sSELECT %zu AS i, count(*) AS n FROM read_parquet(",
		a->n ? " UNION ALL " : "", a->n);
	parquet_sql__text(a->question, s->path);
	fputc(')', a->question);
	a->n++;
	return 0;
}

/* A few rows on several days are read once, not for each day. */
static void load(struct addition *a, enum stream stream)
{
	const struct parquet_rows all = { stream, a->directory, true, 0, UINT64_MAX };

	fputs("CREATE OR REPLACE TEMP TABLE " LOADED " AS ", a->sql);
	parquet_sql__select(a->sql, a->r, &all);
	fputs(";\n", a->sql);
}

static int add_stream(struct addition *a, enum stream stream)
{
	struct lake_piece *pieces = NULL;
	size_t n = 0;
	int err = pieces__cut(a->r, stream, &pieces, &n);
	bool once;

	if (err)
		return store__explain(a->ret->why, err, "its clock or its length is implausible");
	once = n > 1 && is_small(a->r, stream);
	if (once)
		load(a, stream);
	for (size_t i = 0; i < n && !err; i++)
		err = put_piece(a, stream, &pieces[i], once);
	if (once)
		fputs("DROP TABLE " LOADED ";\n", a->sql);
	free(pieces);
	return err;
}

static int put_about(struct addition *a)
{
	int64_t day;
	int err = session_row__day(a->r, &day);

	if (err)
		return store__explain(a->ret->why, err, "session.started_at is no time");
	lake_layout__name(a->about.name, LAKE_SESSIONS, day, a->machine, a->session, 0);
	err = stage(a, &a->about);
	if (err)
		return err;
	fputs("COPY (", a->sql);
	session_row__select(a->sql, a->r);
	fputs(") TO ", a->sql);
	parquet_sql__text(a->sql, a->about.path);
	put_options(a->sql);
	return 0;
}

/* A row group is written by one thread; more would only wait for it. */
static void put_threads(struct addition *a)
{
	bool small = true;

	for (int i = 0; i < STREAM_COUNT && small; i++)
		small = is_small(a->r, i);
	fputs(small ? "SET threads = 1;\n" : "RESET threads;\n", a->sql);
}

static int put_sql(struct addition *a)
{
	int err = 0;

	parquet_sql__limits(a->sql, a->spill);
	put_threads(a);
	fputs("SELECT i || ' ' || n FROM (SELECT 0 AS i, 0 AS n WHERE false UNION ALL ",
	      a->question);
	for (int i = 0; i < STREAM_COUNT && !err; i++)
		err = add_stream(a, i);
	if (!err)
		err = put_about(a);
	fputs(a->n ? ")" : "SELECT 0, 0 WHERE false)", a->question);
	return err;
}

/* ---- the work ---- */

/* Lines "index rows". */
static int read_counts(struct addition *a, const char *answer)
{
	uint64_t wanted[STREAM_COUNT] = { 0 }, got[STREAM_COUNT] = { 0 };
	const struct session_reader *r = a->r;

	for (const char *line = answer; *line; line = strchrnul(line, '\n') + 1) {
		size_t i;
		uint64_t rows;

		if (sscanf(line, "%zu %" SCNu64, &i, &rows) != 2 || i >= a->n)
			return store__explain(a->ret->why, -EBADMSG,
					      "DuckDB does not say how many rows it wrote");
		a->staged[i].rows = rows;
		got[a->staged[i].stream] += rows;
		if (!strchr(line, '\n'))
			break;
	}
	for (size_t i = 0; i < r->n_files; i++)
		wanted[r->files[i].stream] += r->files[i].rows;
	for (int i = 0; i < STREAM_COUNT; i++)
		if (got[i] != wanted[i]) {
			snprintf(a->ret->why, sizeof(a->ret->why),
				 "%s: %" PRIu64 " rows, the manifest says %" PRIu64,
				 schema_streams[i].key, got[i], wanted[i]);
			return -EBADMSG;
		}
	return 0;
}

static int write_files(struct addition *a)
{
	char *sql = NULL, *question = NULL, *answer = NULL, why[DUCKDB_WHY_MAX];
	size_t size;
	FILE *said = open_memstream(&answer, &size);
	int err = -ENOMEM;

	a->sql = open_memstream(&sql, &size);
	a->question = open_memstream(&question, &size);
	if (said && a->sql && a->question)
		err = put_sql(a);
	else
		fail_all(a, err, "out of memory");
	if (a->sql && fclose(a->sql) && !err)
		err = fail_all(a, -ENOMEM, "out of memory");
	if (a->question && fclose(a->question) && !err)
		err = fail_all(a, -ENOMEM, "out of memory");
	if (!err) {
		err = duckdb__run(sql, question, said, why);
		if (err == -ENOENT)
			fail_all(a, err, why);
		else if (err)
			store__explain(a->ret->why, err, why);
	}
	if (said)
		fclose(said);
	if (!err)
		err = read_counts(a, answer);
	free(sql);
	free(question);
	free(answer);
	return err;
}

static int publish(struct addition *a, struct staged *s)
{
	int err = store__publish(a->store, s->name, s->path);

	s->path = NULL;
	return err ? fail_all(a, err, store__why(a->store)) : 0;
}

/* Rows first: a reader that sees a session then also sees its rows. */
static int publish_all(struct addition *a)
{
	int err = 0;

	for (size_t i = 0; i < a->n && !err; i++) {
		if (!a->staged[i].rows)
			continue;
		err = publish(a, &a->staged[i]);
		a->ret->rows += a->staged[i].rows;
		a->ret->files++;
	}
	return err ?: publish(a, &a->about);
}

int add_session(struct store *s, const struct session_reader *r, struct added_session *ret)
{
	struct addition a = { .store = s, .r = r, .ret = ret };
	int err;

	memset(ret, 0, sizeof(*ret));
	err = check(&a);
	if (err)
		return err;
	err = parquet_sql__directory(r->fd, a.directory);
	if (!err)
		err = parquet_sql__spill(a.spill);
	if (err)
		return fail_all(&a, err, strerror(-err));
	err = write_files(&a);
	if (!err)
		err = publish_all(&a);
	for (size_t i = 0; i < a.n; i++)
		store__drop(s, a.staged[i].path);
	store__drop(s, a.about.path);
	free(a.staged);
	rmdir(a.spill);
	for (int i = 0; i < STREAM_COUNT; i++)
		ret->lost += session_row__lost(r, i);
	return err;
}
