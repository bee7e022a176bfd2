// SPDX-License-Identifier: GPL-2.0-or-later
#include "lake/views.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "export/parquet_sql.h"
#include "lake/layout.h"
#include "lake/session_row.h"
#include "platform/macros.h"
#include "schema/schema.h"

#define TTL_DAYS 90

struct views;

struct dialect {
	const char *name;
	char quote; /* around names */
	const char *types[VIEW_TYPES];
	const char *head; /* comments and settings */
	void (*begin)(const struct views *v);
	void (*put)(const struct views *v, const char *stream);
};

struct views {
	FILE *out;
	const struct dialect *dialect;
	char url[PATH_MAX]; /* without a slash at the end */
	bool s3;
	bool there[STREAM_COUNT]; /* the stream has files */
	bool sessions;            /* `sessions` has files */
	bool any;
};

/* ---- columns ---- */

/* Gets the type of column I of the files of STREAM. Returns its name; NULL: there are no more. */
static const char *column(const char *stream, size_t i, enum view_type *ret)
{
	static const char *const origin[] = { "machine_id", "session", "boot" };
	static const struct {
		const char *name;
		enum view_type type;
	} compacted[] = { { "file", VIEW_TEXT }, { "rows", VIEW_UINT }, { "added", VIEW_BOOL } };
	static const enum view_type types[COL_TYPES] = {
		[COL_WALL] = VIEW_TIME,    [COL_MONO] = VIEW_UINT, [COL_UINT] = VIEW_UINT,
		[COL_INODE] = VIEW_UINT,   [COL_INT] = VIEW_INT,   [COL_FLOAT] = VIEW_FLOAT,
		[COL_ADDRESS] = VIEW_UINT,
	};
	const struct stream_schema *schema;

	if (!strcmp(stream, LAKE_SESSIONS))
		return session_row__column(i, ret);
	if (!strcmp(stream, LAKE_COMPACTED)) {
		*ret = i < ARRAY_SIZE(compacted) ? compacted[i].type : VIEW_TEXT;
		return i < ARRAY_SIZE(compacted) ? compacted[i].name : NULL;
	}
	*ret = VIEW_TEXT;
	if (i < ARRAY_SIZE(origin))
		return origin[i];
	i -= ARRAY_SIZE(origin);
	schema = &schema_streams[schema__find(stream)];
	if (i >= schema->n_columns)
		return NULL;
	*ret = i ? types[schema->columns[i].type] : VIEW_TIME_NS;
	return strcmp(schema->columns[i].name, "stream") ? schema->columns[i].name : "stream_name";
}

static bool has_column(const char *stream, const char *wanted)
{
	const char *name;
	enum view_type type;

	for (size_t i = 0; (name = column(stream, i, &type)); i++)
		if (!strcmp(name, wanted))
			return true;
	return false;
}

static void put_name(const struct views *v, const char *name)
{
	fprintf(v->out, "%c%s%c", v->dialect->quote, name, v->dialect->quote);
}

/* "name TYPE, name TYPE" */
static void put_view_columns(const struct views *v, const char *stream, const char *separator)
{
	const char *name;
	enum view_type type;

	for (size_t i = 0; (name = column(stream, i, &type)); i++) {
		fputs(i ? separator : "", v->out);
		put_name(v, name);
		fprintf(v->out, " %s", v->dialect->types[type]);
	}
}

/* ---- where the files are ---- */

static void put_path(const struct views *v, const char *stream, const char *rest)
{
	char path[PATH_MAX + STORE_NAME_MAX];

	snprintf(path, sizeof(path), "%s/" LAKE_TOP "stream=%s%s", v->url, stream, rest);
	parquet_sql__text(v->out, path);
}

/* ---- DuckDB ---- */

static void put_duckdb(const struct views *v, const char *stream)
{
	bool list = !strcmp(stream, LAKE_COMPACTED);

	fprintf(v->out, "CREATE OR REPLACE VIEW %s AS SELECT ", stream);
	fputs(list ? "*" : "* EXCLUDE (v, machine, stream, lake_file), machine_id AS machine",
	      v->out);
	fputs("\nFROM read_parquet(", v->out);
	put_path(v, stream, "/*/*/*.parquet");
	if (list) {
		fputs(", hive_partitioning = false);\n\n", v->out);
		return;
	}
	fputs(", union_by_name = true, hive_types = {'machine': VARCHAR, 'date': DATE}, "
	      "filename = 'lake_file')\nWHERE (machine = '" LAKE_ALL "') = "
	      "(substr(lake_file, strpos(lake_file, '" LAKE_TOP "stream=')) IN "
	      "(SELECT file FROM " LAKE_COMPACTED "));\n\n",
	      v->out);
}

/* ---- ClickHouse ---- */

static void put_clickhouse_source(const struct views *v, const char *stream)
{
	char *structure = NULL;
	size_t size;
	struct views columns = *v;

	columns.out = open_memstream(&structure, &size);
	if (columns.out) {
		put_view_columns(&columns, stream, ", ");
		fclose(columns.out);
	}
	if (v->s3) {
		fputs(strcmp(v->dialect->name, "clickhouse-cluster") ? "s3(" :
								       "s3Cluster('default', ",
		      v->out);
		fprintf(v->out,
			"iotrc_lake, filename = '" LAKE_TOP
			"stream=%s/date=*/machine=*/*.parquet', "
			"format = 'Parquet', structure = ",
			stream);
	} else {
		fputs("file(", v->out);
		put_path(v, stream, "/date=*/machine=*/*.parquet");
		fputs(", 'Parquet', ", v->out);
	}
	parquet_sql__text(v->out, structure ?: "");
	fputc(')', v->out);
	free(structure);
}

static void begin_clickhouse(const struct views *v)
{
	const char *endpoint = getenv("AWS_ENDPOINT_URL_S3") ?: getenv("AWS_ENDPOINT_URL");
	char url[2 * PATH_MAX];

	if (!v->s3)
		return;
	snprintf(url, sizeof(url), "%s/%s/",
		 endpoint && *endpoint ? endpoint : "https://s3.amazonaws.com", v->url + 5);
	fputs("-- With keys that may read:\n-- CREATE NAMED COLLECTION iotrc_lake AS url = ",
	      v->out);
	parquet_sql__text(v->out, url);
	fputs(", access_key_id = '...', secret_access_key = '...';\n\n", v->out);
}

static void put_clickhouse(const struct views *v, const char *stream)
{
	bool list = !strcmp(stream, LAKE_COMPACTED);

	fprintf(v->out, "CREATE OR REPLACE VIEW %s AS SELECT ", stream);
	fputs(list ? "file, added" :
		     "date, * EXCEPT (v, date, machine, stream, machine_id), machine_id AS machine",
	      v->out);
	fputs("\nFROM ", v->out);
	put_clickhouse_source(v, stream);
	if (!list)
		fputs("\nWHERE (position(_path, '/machine=" LAKE_ALL "/') > 0) = "
		      "(substring(_path, position(_path, '" LAKE_TOP "stream=')) IN "
		      "(SELECT file FROM " LAKE_COMPACTED "))",
		      v->out);
	fputs(";\n\n", v->out);
}

/* Columns by which a table is sorted cannot be NULL. */
static bool is_key(const char *stream, const char *name)
{
	return !strcmp(name, "machine_id") || !strcmp(name, "session") ||
	       !strcmp(name, strcmp(stream, LAKE_SESSIONS) ? "mono_ns" : "stream_name");
}

static void put_projections(const struct views *v, const char *stream)
{
	static const char *const sums[] = { "bytes_completed", "duration_ns", "size" };

	fputs(",\n  PROJECTION by_machine (SELECT date, machine, count() GROUP BY date, machine)",
	      v->out);
	if (!has_column(stream, "filename") || !has_column(stream, "operation"))
		return;
	fputs(",\n  PROJECTION by_file (SELECT date, filename, operation, count()", v->out);
	for (size_t i = 0; i < ARRAY_SIZE(sums); i++)
		if (has_column(stream, sums[i]))
			fprintf(v->out, ", sum(%s)", sums[i]);
	fputs(" GROUP BY date, filename, operation)", v->out);
}

static void put_clickhouse_table(const struct views *v, const char *stream)
{
	const char *name;
	enum view_type type;

	if (!strcmp(stream, LAKE_COMPACTED))
		return;
	fprintf(v->out, "CREATE TABLE IF NOT EXISTS %s_table (\n  date Date", stream);
	for (size_t i = 0; (name = column(stream, i, &type)); i++) {
		const char *text = v->dialect->types[type];
		size_t skip = strlen("Nullable(");
		bool key = is_key(stream, name);

		fputs(",\n  ", v->out);
		put_name(v, strcmp(name, "machine_id") ? name : "machine");
		fprintf(v->out, " %.*s", (int)(strlen(text) - (key ? skip + 1 : 0)),
			text + (key ? skip : 0));
	}
	if (strcmp(stream, LAKE_SESSIONS))
		put_projections(v, stream);
	fprintf(v->out,
		")\nENGINE = MergeTree PARTITION BY date ORDER BY (machine, session, %s)\n"
		"TTL date + INTERVAL %d DAY;\n"
		"-- A day: INSERT INTO %s_table SELECT ",
		strcmp(stream, LAKE_SESSIONS) ? "mono_ns" : "stream_name", TTL_DAYS, stream);
	fputs("date", v->out);
	for (size_t i = 0; (name = column(stream, i, &type)); i++) {
		fputs(", ", v->out);
		put_name(v, strcmp(name, "machine_id") ? name : "machine");
	}
	fprintf(v->out, " FROM %s WHERE date = '2026-11-29';\n\n", stream);
}

/* ---- Spark and Trino ---- */

/* Writes the columns of the view, from table f. TIME: the conversion of a time in ns; NULL:
 * none. */
static void put_selected(const struct views *v, const char *stream, const char *time)
{
	const char *name;
	enum view_type type;

	fputs("SELECT f.", v->out);
	put_name(v, "date");
	for (size_t i = 0; (name = column(stream, i, &type)); i++) {
		bool convert = time && type == VIEW_TIME_NS;

		fputs(", ", v->out);
		if (convert)
			fputs(time, v->out);
		fputs("f.", v->out);
		put_name(v, name);
		if (convert) {
			fputs(" DIV 1000) AS ", v->out);
			put_name(v, name);
		}
		if (!strcmp(name, "machine_id"))
			fputs(" AS machine", v->out);
	}
}

static void put_spark(const struct views *v, const char *stream)
{
	fprintf(v->out, "CREATE OR REPLACE TEMPORARY VIEW lake_%s USING parquet OPTIONS (path ",
		stream);
	put_path(v, stream, "");
	fputs(", mergeSchema 'true');\n", v->out);
	if (!strcmp(stream, LAKE_COMPACTED))
		return;
	fprintf(v->out, "CREATE OR REPLACE TEMPORARY VIEW %s AS ", stream);
	put_selected(v, stream, "timestamp_micros(");
	fprintf(v->out,
		"\nFROM (SELECT *, _metadata.file_path AS lake_file FROM lake_%s) f LEFT JOIN "
		"lake_" LAKE_COMPACTED " c\n"
		"  ON c.file = regexp_extract(f.lake_file, '" LAKE_TOP "stream=.*$', 0)\n"
		"WHERE (f.machine = '" LAKE_ALL "') = (c.file IS NOT NULL);\n\n",
		stream);
}

static void put_trino(const struct views *v, const char *stream)
{
	fprintf(v->out, "CREATE TABLE IF NOT EXISTS lake_%s (", stream);
	put_view_columns(v, stream, ", ");
	fputs(", \"date\" varchar, \"machine\" varchar)\nWITH (format = 'PARQUET', external_location = ",
	      v->out);
	put_path(v, stream, "");
	fprintf(v->out,
		", partitioned_by = ARRAY['date', 'machine']);\n"
		"CALL system.sync_partition_metadata('lake', 'lake_%s', 'FULL');\n",
		stream);
	if (!strcmp(stream, LAKE_COMPACTED))
		return;
	fprintf(v->out, "CREATE OR REPLACE VIEW %s AS ", stream);
	put_selected(v, stream, NULL);
	fprintf(v->out,
		"\nFROM lake_%s f LEFT JOIN lake_" LAKE_COMPACTED " c\n"
		"  ON c.file = regexp_extract(f.\"$path\", '" LAKE_TOP "stream=.*$')\n"
		"WHERE (f.machine = '" LAKE_ALL "') = (c.file IS NOT NULL);\n\n",
		stream);
}

/* ---- all ---- */

#define CLICKHOUSE_TYPES \
	{ \
		[VIEW_TEXT] = "Nullable(String)", \
		[VIEW_TIME_NS] = "Nullable(DateTime64(9, 'UTC'))", \
		[VIEW_TIME] = "Nullable(DateTime64(6, 'UTC'))", [VIEW_UINT] = "Nullable(UInt64)", \
		[VIEW_INT] = "Nullable(Int64)", [VIEW_INT32] = "Nullable(Int32)", \
		[VIEW_FLOAT] = "Nullable(Float64)", [VIEW_BOOL] = "Nullable(Bool)", \
	}

static const struct dialect dialects[] = {
	{
		.name = "duckdb",
		.quote = '"',
		.head = "-- Of s3:// first: INSTALL httpfs; LOAD httpfs; CREATE SECRET (TYPE s3, ...);\n"
			"-- DuckDB wants a file of each stream: make the views again when there are new "
			"streams.\n\n",
		.put = put_duckdb,
	},
	{
		.name = "clickhouse",
		.quote = '`',
		.types = CLICKHOUSE_TYPES,
		.head = "",
		.begin = begin_clickhouse,
		.put = put_clickhouse,
	},
	{
		.name = "clickhouse-cluster",
		.quote = '`',
		.types = CLICKHOUSE_TYPES,
		.head = "-- All servers of the cluster `default` take part.\n",
		.begin = begin_clickhouse,
		.put = put_clickhouse,
	},
	{
		.name = "clickhouse-table",
		.quote = '`',
		.types = CLICKHOUSE_TYPES,
		.head = "-- Tables to load a lake into, from the views of `--engine clickhouse`.\n\n",
		.put = put_clickhouse_table,
	},
	{
		.name = "spark",
		.quote = '`',
		.head = "-- Spark SQL 3.3 and later; the types are those of the files.\n"
			"SET spark.sql.legacy.parquet.nanosAsLong = true;\n"
			"SET spark.sql.sources.partitionColumnTypeInference.enabled = false;\n\n",
		.put = put_spark,
	},
	{
		.name = "trino",
		.quote = '"',
		.types = { [VIEW_TEXT] = "varchar",
			   [VIEW_TIME_NS] = "timestamp(9)",
			   [VIEW_TIME] = "timestamp(6)",
			   [VIEW_UINT] = "bigint",
			   [VIEW_INT] = "bigint",
			   [VIEW_INT32] = "integer",
			   [VIEW_FLOAT] = "double",
			   [VIEW_BOOL] = "boolean" },
		.head = "-- In a catalog of the Hive connector with hive.timestamp-precision=NANOSECONDS "
			"and\n-- hive.non-managed-table-writes-enabled=false, schema lake. New days are seen "
			"when\n-- sync_partition_metadata is called again. What exceeds 2^63 is negative.\n\n",
		.put = put_trino,
	},
};

static const struct dialect *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(dialects); i++)
		if (!strcmp(dialects[i].name, name))
			return &dialects[i];
	return NULL;
}

/* Finds the streams that have files. No engine takes a view of none. */
static int look(struct store *s, struct views *v)
{
	char prefix[STORE_NAME_MAX];
	int err = store__has(s, LAKE_TOP "stream=" LAKE_SESSIONS "/", &v->sessions);

	for (int i = 0; i < STREAM_COUNT && !err; i++) {
		snprintf(prefix, sizeof(prefix), LAKE_TOP "stream=%s/", schema_streams[i].key);
		err = store__has(s, prefix, &v->there[i]);
		v->any |= v->there[i];
	}
	v->any |= v->sessions;
	return err;
}

int views__write(struct store *s, const char *url, const char *engine, FILE *out,
		 char why[STORE_WHY_MAX])
{
	struct views v = { .out = out, .dialect = find(engine), .s3 = !store__directory(s) };
	int err;

	if (!v.dialect || snprintf(v.url, sizeof(v.url), "%s", url) >= (int)sizeof(v.url)) {
		snprintf(why, STORE_WHY_MAX, "'%.64s' is none of the engines: " VIEWS_ENGINES,
			 engine);
		return -ENOENT;
	}
	for (size_t len = strlen(v.url); len > 1 && v.url[len - 1] == '/'; len--)
		v.url[len - 1] = 0;
	err = look(s, &v);
	if (err) {
		snprintf(why, STORE_WHY_MAX, "%s", store__why(s));
		return err;
	}
	if (!v.any) {
		snprintf(why, STORE_WHY_MAX, "no files of a lake (" LAKE_TOP ") are there");
		return -ENODATA;
	}
	fputs(v.dialect->head, out);
	if (v.dialect->begin)
		v.dialect->begin(&v);
	v.dialect->put(&v, LAKE_COMPACTED);
	if (v.sessions)
		v.dialect->put(&v, LAKE_SESSIONS);
	for (int i = 0; i < STREAM_COUNT; i++)
		if (v.there[i])
			v.dialect->put(&v, schema_streams[i].key);
	return 0;
}
