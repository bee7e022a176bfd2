// SPDX-License-Identifier: GPL-2.0-or-later
#include "export/parquet_sql.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/temporary_dir.h"
#include "schema/schema.h"

#define MEMORY_LIMIT "1GB"

void parquet_sql__text(FILE *sql, const char *s)
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

static void put_expression(FILE *sql, const struct session_reader *r, enum stream stream, size_t i,
			   bool lake)
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
	fprintf(sql, " AS \"%s\"", lake && !strcmp(c->name, "stream") ? "stream_name" : c->name);
}

static void put_file(FILE *sql, const char *directory, const char *path)
{
	char whole[2 * PATH_MAX];

	snprintf(whole, sizeof(whole), "%s/%s", directory, path);
	parquet_sql__text(sql, whole);
}

bool parquet_sql__has(const struct file_facts *file, const struct parquet_rows *rows)
{
	return file->stream == rows->stream && file->rows && file->first_mono_ns <= rows->to &&
	       file->last_mono_ns >= rows->from;
}

/* FROM: the finished files of the stream. */
static void put_csv_files(FILE *sql, const struct session_reader *r,
			  const struct parquet_rows *rows)
{
	const struct stream_schema *schema = &schema_streams[rows->stream];
	const char *comma = "";

	fputs("\nFROM read_csv([", sql);
	for (size_t i = 0; i < r->n_files; i++) {
		if (!parquet_sql__has(&r->files[i], rows))
			continue;
		fputs(comma, sql);
		put_file(sql, rows->directory, r->files[i].path);
		comma = ", ";
	}
	fputs("], columns={", sql);
	comma = "";
	for (size_t i = 0; i < schema->n_columns; i++)
		if (has_column(r, rows->stream, i)) {
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
void parquet_sql__limits(FILE *sql, const char *spill)
{
	fputs("SET memory_limit = '" MEMORY_LIMIT "';\nSET temp_directory = ", sql);
	parquet_sql__text(sql, spill);
	fputs(";\n", sql);
}

static void put_origin(FILE *sql, const struct session_reader *r, const char *key, const char *name)
{
	const char *text = json_string_value(json_object_get(r->root, key)),
		   *slash = text ? strrchr(text, '/') : NULL;

	if (text)
		parquet_sql__text(sql, slash ? slash + 1 : text);
	else
		fputs("CAST(NULL AS VARCHAR)", sql);
	fprintf(sql, " AS %s, ", name);
}

void parquet_sql__select(FILE *sql, const struct session_reader *r, const struct parquet_rows *rows)
{
	fputs("SELECT ", sql);
	put_origin(sql, r, "machine_id", rows->lake ? "machine_id" : "machine");
	put_origin(sql, r, "session_id", "session");
	put_origin(sql, r, "boot_id", "boot");
	for (size_t i = 0; i < schema_streams[rows->stream].n_columns; i++) {
		if (i)
			fputs(", ", sql);
		put_expression(sql, r, rows->stream, i, rows->lake);
	}
	put_csv_files(sql, r, rows);
	if (rows->from || rows->to < UINT64_MAX)
		fprintf(sql, "WHERE mono_ns BETWEEN %" PRIu64 " AND %" PRIu64 "\n", rows->from,
			rows->to);
}

int parquet_sql__directory(int fd, char ret[PATH_MAX])
{
	char link[64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, ret, PATH_MAX - 1);
	if (n < 0)
		return -errno;
	ret[n] = 0;
	return 0;
}

int parquet_sql__spill(char ret[PATH_MAX])
{
	snprintf(ret, PATH_MAX, "%s/iotrc-export-XXXXXX", temporary_dir());
	return mkdtemp(ret) ? 0 : -errno;
}
