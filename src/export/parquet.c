// SPDX-License-Identifier: GPL-2.0-or-later
#include "export/parquet.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/shown.h"
#include "schema/schema.h"

#define MEMORY_LIMIT "1GB"

struct writer {
	const struct parquet_config *config;
	FILE *sql;
	uint64_t sessions, rows; /* that the manifests state */
};

/* ---- SQL ---- */

/* Writes a string literal: quotes are doubled. */
static void put_text(FILE *sql, const char *s)
{
	fputc('\'', sql);
	for (; *s; s++) {
		if (*s == '\'')
			fputc('\'', sql);
		fputc(*s, sql);
	}
	fputc('\'', sql);
}

static const char *sql_type(const struct column *c)
{
	static const char *const types[COL_TYPES] = {
		[COL_MONO] = "UBIGINT", [COL_UINT] = "UBIGINT", [COL_INODE] = "UBIGINT",
		[COL_INT] = "BIGINT",   [COL_FLOAT] = "DOUBLE", [COL_WALL] = "TIMESTAMP",
	};

	return types[c->type] ?: "VARCHAR";
}

/* The offset of the clock in force at mono_ns: of the wall clock in ns, or (ZONE) of local time in
 * seconds. */
static void put_offset(FILE *sql, const struct session_reader *r, bool zone)
{
	const struct clock_offset *o = r->offsets;

	if (r->n_offsets > 1)
		fputs("CASE", sql);
	for (size_t i = r->n_offsets; i-- > 1;)
		fprintf(sql, " WHEN mono_ns >= %" PRIu64 " THEN %" PRId64, o[i].from_mono_ns,
			zone ? o[i].utc_offset_s : o[i].offset_ns);
	fprintf(sql, r->n_offsets > 1 ? " ELSE %" PRId64 " END" : "%" PRId64,
		zone ? o->utc_offset_s : o->offset_ns);
}

/* How many columns the files of R have: those of an older session lack some before the last one. */
static bool has_column(const struct session_reader *r, enum stream stream, size_t i)
{
	size_t n = r->n_columns[stream], all = schema_streams[stream].n_columns;

	return i + 1 == all || i + 1 < n;
}

static void put_expression(FILE *sql, const struct session_reader *r, enum stream stream, size_t i)
{
	const struct column *c = &schema_streams[stream].columns[i];

	if (!has_column(r, stream, i)) {
		fprintf(sql, "CAST(NULL AS %s)", c->type == COL_ADDRESS ? "UBIGINT" : sql_type(c));
	} else if (!i) {
		fputs("make_timestamp_ns(mono_ns::BIGINT + ", sql);
		put_offset(sql, r, false);
		fputc(')', sql);
	} else if (c->type == COL_WALL) {
		fprintf(sql, "\"%s\" - to_seconds(", c->name);
		put_offset(sql, r, true);
		fputc(')', sql);
	} else {
		fprintf(sql, c->type == COL_ADDRESS ? "CAST(\"%s\" AS UBIGINT)" : "\"%s\"",
			c->name);
	}
	fprintf(sql, " AS \"%s\"", c->name);
}

static void put_file(FILE *sql, const char *directory, const char *path)
{
	char whole[2 * PATH_MAX];

	snprintf(whole, sizeof(whole), "%s/%s", directory, path);
	put_text(sql, whole);
}

/* FROM: the finished files of the stream. */
static void put_source(FILE *sql, const struct session_reader *r, enum stream stream,
		       const char *directory)
{
	const struct stream_schema *schema = &schema_streams[stream];
	const char *comma = "";

	fputs("\nFROM read_csv([", sql);
	for (size_t i = 0; i < r->n_files; i++) {
		if (r->files[i].stream != stream || !r->files[i].rows)
			continue;
		fputs(comma, sql);
		put_file(sql, directory, r->files[i].path);
		comma = ", ";
	}
	fputs("], columns={", sql);
	comma = "";
	for (size_t i = 0; i < schema->n_columns; i++)
		if (has_column(r, stream, i)) {
			fprintf(sql, "%s'%s': '%s'", comma, schema->columns[i].name,
				sql_type(&schema->columns[i]));
			comma = ", ";
		}
	fputs("}, auto_detect=false, header=true, delim=',', quote='\"', escape='\"', nullstr='', "
	      "compression='zstd', max_line_size=4194304)\n",
	      sql);
}

/* By default DuckDB limits itself to 80 % of the machine's memory, and uses a directory in the
 * current one. */
static void put_limits(FILE *sql, const char *spill)
{
	fputs("SET memory_limit = '" MEMORY_LIMIT "';\nSET temp_directory = ", sql);
	put_text(sql, spill);
	fputs(";\n", sql);
}

static void put_origin(FILE *sql, const struct session_reader *r, const char *key, const char *name)
{
	const char *text = json_string_value(json_object_get(r->root, key)),
		   *slash = text ? strrchr(text, '/') : NULL;

	if (text)
		put_text(sql, slash ? slash + 1 : text);
	else
		fputs("CAST(NULL AS VARCHAR)", sql);
	fprintf(sql, " AS %s, ", name);
}

static void put_session(struct writer *w, const struct session_reader *r, const char *directory)
{
	enum stream stream = w->config->stream;

	fputs(w->sessions++ ? "UNION ALL\nSELECT " : "SELECT ", w->sql);
	put_origin(w->sql, r, "machine_id", "machine");
	put_origin(w->sql, r, "session_id", "session");
	put_origin(w->sql, r, "boot_id", "boot");
	for (size_t i = 0; i < schema_streams[stream].n_columns; i++) {
		if (i)
			fputs(", ", w->sql);
		put_expression(w->sql, r, stream, i);
	}
	put_source(w->sql, r, stream, directory);
}

/* ---- sessions ---- */

static int on_session(void *arg, struct session_reader *r)
{
	char link[64], directory[PATH_MAX];
	struct writer *w = arg;
	uint64_t rows = 0;
	ssize_t n;

	for (size_t i = 0; i < r->n_files; i++)
		if (r->files[i].stream == w->config->stream)
			rows += r->files[i].rows;
	if (!rows)
		return 0;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", r->fd);
	n = readlink(link, directory, sizeof(directory) - 1);
	if (n < 0)
		return -errno;
	directory[n] = 0;
	w->rows += rows;
	put_session(w, r, directory);
	return 0;
}

static int fail(struct scan_result *ret, int err, const char *what)
{
	char shown[SHOWN_MAX(DUCKDB_WHY_MAX)];

	shown__copy(shown, what, strlen(what));
	snprintf(ret->why, sizeof(ret->why), "%.*s", (int)sizeof(ret->why) - 1, shown);
	return err;
}

/* SQL is "COPY (SELECT ... UNION ALL SELECT ...", still to be closed. */
static int copy(struct writer *w, char **text, uint64_t *ret_rows, struct scan_result *ret)
{
	char why[DUCKDB_WHY_MAX], *count = NULL;
	FILE *query;
	size_t size;
	int err;

	fputs("ORDER BY machine, session, mono_ns) TO ", w->sql);
	put_text(w->sql, w->config->file);
	fprintf(w->sql,
		" (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE %d, USE_TMP_FILE false)",
		PARQUET_ROW_GROUP);
	query = open_memstream(&count, &size);
	if (fclose(w->sql) || !query) {
		w->sql = NULL;
		if (query)
			fclose(query);
		free(count);
		return fail(ret, -ENOMEM, "out of memory");
	}
	w->sql = NULL;
	fputs("SELECT count(*) FROM read_parquet(", query);
	put_text(query, w->config->file);
	fputc(')', query);
	fclose(query);
	err = duckdb__run(*text, count, ret_rows, why);
	free(count);
	if (err)
		return fail(ret, err, why);
	if (*ret_rows != w->rows)
		return fail(ret, -EBADMSG, "not as many rows as the manifests say");
	return 0;
}

int parquet__write(const struct parquet_config *config, uint64_t *ret_rows, struct scan_result *ret)
{
	struct writer w = { .config = config };
	struct scan_config scan = { .paths = config->paths, .session = on_session, .arg = &w };
	char *text = NULL, spill[PATH_MAX];
	size_t size;
	int err;

	snprintf(spill, sizeof(spill), "%s/iotrc-export-XXXXXX", getenv("TMPDIR") ?: "/tmp");
	if (!mkdtemp(spill))
		return fail(ret, -errno, strerror(errno));
	w.sql = open_memstream(&text, &size);
	if (!w.sql) {
		rmdir(spill);
		return fail(ret, -ENOMEM, "out of memory");
	}
	put_limits(w.sql, spill);
	fputs("COPY (\n", w.sql);
	err = scan__run(&scan, ret);
	if (!err && !w.sessions)
		err = fail(ret, -ENODATA, "there are no finished rows of this stream");
	if (!err)
		err = copy(&w, &text, ret_rows, ret);
	if (w.sql)
		fclose(w.sql);
	free(text);
	rmdir(spill); /* DuckDB has removed its files */
	return err;
}
