// SPDX-License-Identifier: GPL-2.0-or-later
#include "lake/session_row.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "export/parquet_sql.h"
#include "platform/macros.h"
#include "schema/row_counts.h"
#include "schema/schema.h"

#define DAY_S 86400

/* A stream of a session. */
struct row {
	const struct session_reader *r;
	enum stream stream;
	json_t *counts, *lost;
	uint64_t files, rows, first_mono_ns, last_mono_ns;
};

/* ---- values ---- */

static void put_text(FILE *sql, const char *text)
{
	if (text)
		parquet_sql__text(sql, text);
	else
		fputs("CAST(NULL AS VARCHAR)", sql);
}

static void put_number(FILE *sql, const json_t *number)
{
	if (json_is_integer(number))
		fprintf(sql, "CAST(%" JSON_INTEGER_FORMAT " AS UBIGINT)",
			json_integer_value(number));
	else
		fputs("CAST(NULL AS UBIGINT)", sql);
}

static void put_member(FILE *sql, const struct row *row, const char *parent, const char *key)
{
	const json_t *in = parent ? json_object_get(row->r->root, parent) : row->r->root;

	put_text(sql, json_string_value(json_object_get(in, key)));
}

static void put_machine(FILE *sql, const struct row *row)
{
	put_member(sql, row, NULL, "machine_id");
}

static void put_session(FILE *sql, const struct row *row)
{
	put_text(sql, session_row__name(row->r));
}

static void put_boot(FILE *sql, const struct row *row)
{
	put_member(sql, row, NULL, "boot_id");
}

static void put_stream_key(FILE *sql, const struct row *row)
{
	put_text(sql, schema_streams[row->stream].key);
}

static void put_state(FILE *sql, const struct row *row)
{
	put_member(sql, row, "session", "state");
}

/* DuckDB converts an ISO 8601 time with a zone to UTC. */
static void put_time(FILE *sql, const struct row *row, const char *key)
{
	fputs("CAST(", sql);
	put_member(sql, row, "session", key);
	fputs(" AS TIMESTAMP)", sql);
}

static void put_started(FILE *sql, const struct row *row)
{
	put_time(sql, row, "started_at");
}

static void put_stopped(FILE *sql, const struct row *row)
{
	put_time(sql, row, "stopped_at");
}

static void put_mono(FILE *sql, const struct row *row, uint64_t mono_ns)
{
	if (row->rows)
		fprintf(sql, "CAST(%" PRIu64 " AS UBIGINT)", mono_ns);
	else
		fputs("CAST(NULL AS UBIGINT)", sql);
}

static void put_first_mono(FILE *sql, const struct row *row)
{
	put_mono(sql, row, row->first_mono_ns);
}

static void put_last_mono(FILE *sql, const struct row *row)
{
	put_mono(sql, row, row->last_mono_ns);
}

static void put_wall(FILE *sql, const struct row *row, uint64_t mono_ns)
{
	const struct clock_offset *o =
		clock__offset_at(row->r->offsets, row->r->n_offsets, mono_ns);

	if (row->rows)
		fprintf(sql, "make_timestamp_ns(%" PRId64 ")", (int64_t)mono_ns + o->offset_ns);
	else
		fputs("CAST(NULL AS TIMESTAMP_NS)", sql);
}

static void put_first(FILE *sql, const struct row *row)
{
	put_wall(sql, row, row->first_mono_ns);
}

static void put_last(FILE *sql, const struct row *row)
{
	put_wall(sql, row, row->last_mono_ns);
}

static void put_rows(FILE *sql, const struct row *row)
{
	fprintf(sql, "CAST(%" PRIu64 " AS UBIGINT)", row->rows);
}

static void put_seen(FILE *sql, const struct row *row)
{
	put_number(sql, json_object_get(row->counts, "seen"));
}

static void put_written(FILE *sql, const struct row *row)
{
	put_number(sql, json_object_get(row->counts, "written"));
}

static void put_filtered(FILE *sql, const struct row *row)
{
	put_number(sql, json_object_get(row->counts, "filtered"));
}

static void put_lost(FILE *sql, const struct row *row)
{
	if (row->lost)
		fprintf(sql, "CAST(%" PRIu64 " AS UBIGINT)",
			session_row__lost(row->r, row->stream));
	else
		fputs("CAST(NULL AS UBIGINT)", sql);
}

static void put_ring(FILE *sql, const struct row *row)
{
	put_number(sql, json_object_get(row->lost, lost_causes[LOST_RING]));
}

static void put_queue(FILE *sql, const struct row *row)
{
	put_number(sql, json_object_get(row->lost, lost_causes[LOST_QUEUE]));
}

static void put_disk(FILE *sql, const struct row *row)
{
	put_number(sql, json_object_get(row->lost, lost_causes[LOST_DISK]));
}

static void put_shed(FILE *sql, const struct row *row)
{
	put_number(sql, json_object_get(row->lost, lost_causes[LOST_SHED]));
}

/* A killed recorder's counts are lower bounds: it may have lost more. */
static void put_complete(FILE *sql, const struct row *row)
{
	bool counted = json_is_integer(json_object_get(row->counts, "seen"));

	fputs(!row->r->running && counted && !session_row__lost(row->r, row->stream) ? "TRUE" :
										       "FALSE",
	      sql);
}

static void put_enabled(FILE *sql, const struct row *row)
{
	json_t *streams = json_object_get(row->r->root, "streams"),
	       *stream = json_object_get(streams, schema_streams[row->stream].key);

	fputs(json_is_true(json_object_get(stream, "enabled")) ? "TRUE" : "FALSE", sql);
}

static void put_version(FILE *sql, const struct row *row)
{
	put_member(sql, row, NULL, "schema_version");
}

static void put_column_count(FILE *sql, const struct row *row)
{
	fprintf(sql, "CAST(%zu AS INTEGER)", row->r->n_columns[row->stream]);
}

static void put_tracer(FILE *sql, const struct row *row)
{
	put_member(sql, row, "tracer", "version");
}

static void put_kernel(FILE *sql, const struct row *row)
{
	put_member(sql, row, "host", "kernel");
}

static void put_anonymized(FILE *sql, const struct row *row)
{
	json_t *session = json_object_get(row->r->root, "session");

	fputs(json_is_true(json_object_get(session, "anonymized")) ? "TRUE" : "FALSE", sql);
}

static void put_key(FILE *sql, const struct row *row)
{
	put_member(sql, row, "session", "anonymize_key_id");
}

static void put_offsets(FILE *sql, const struct row *row)
{
	json_t *clock = json_object_get(row->r->root, "clock");
	char *text = json_dumps(json_object_get(clock, "offsets"), JSON_COMPACT);

	put_text(sql, text);
	free(text);
}

static const struct {
	const char *name;
	enum view_type type;
	void (*put)(FILE *sql, const struct row *row);
} columns[] = {
	{ "machine_id", VIEW_TEXT, put_machine },
	{ "session", VIEW_TEXT, put_session },
	{ "boot", VIEW_TEXT, put_boot },
	{ "stream_name", VIEW_TEXT, put_stream_key },
	{ "state", VIEW_TEXT, put_state },
	{ "complete", VIEW_BOOL, put_complete },
	{ "enabled", VIEW_BOOL, put_enabled },
	{ "started", VIEW_TIME, put_started },
	{ "stopped", VIEW_TIME, put_stopped },
	{ "first", VIEW_TIME_NS, put_first },
	{ "last", VIEW_TIME_NS, put_last },
	{ "first_mono_ns", VIEW_UINT, put_first_mono },
	{ "last_mono_ns", VIEW_UINT, put_last_mono },
	{ "rows", VIEW_UINT, put_rows },
	{ "seen", VIEW_UINT, put_seen },
	{ "written", VIEW_UINT, put_written },
	{ "filtered", VIEW_UINT, put_filtered },
	{ "lost", VIEW_UINT, put_lost },
	{ "lost_ring", VIEW_UINT, put_ring },
	{ "lost_queue", VIEW_UINT, put_queue },
	{ "lost_disk", VIEW_UINT, put_disk },
	{ "lost_shed", VIEW_UINT, put_shed },
	{ "schema_version", VIEW_TEXT, put_version },
	{ "column_count", VIEW_INT32, put_column_count },
	{ "tracer_version", VIEW_TEXT, put_tracer },
	{ "kernel", VIEW_TEXT, put_kernel },
	{ "anonymized", VIEW_BOOL, put_anonymized },
	{ "anonymize_key_id", VIEW_TEXT, put_key },
	{ "clock_offsets", VIEW_TEXT, put_offsets },
};

const char *session_row__column(size_t i, enum view_type *ret)
{
	if (i >= ARRAY_SIZE(columns))
		return NULL;
	*ret = columns[i].type;
	return columns[i].name;
}

/* ---- rows ---- */

static void count_files(struct row *row)
{
	for (size_t i = 0; i < row->r->n_files; i++) {
		const struct file_facts *f = &row->r->files[i];

		if (f->stream != row->stream || !f->rows)
			continue;
		if (!row->rows || f->first_mono_ns < row->first_mono_ns)
			row->first_mono_ns = f->first_mono_ns;
		if (f->last_mono_ns > row->last_mono_ns)
			row->last_mono_ns = f->last_mono_ns;
		row->rows += f->rows;
	}
}

static json_t *counts_of(const struct session_reader *r, enum stream stream)
{
	json_t *diagnostics = json_object_get(r->root, "diagnostics"),
	       *streams = json_object_get(diagnostics, "streams");

	return json_object_get(streams, schema_streams[stream].key);
}

static json_t *lost_of(json_t *counts)
{
	return json_object_get(counts, "lost") ?: json_object_get(counts, "lost_at_least");
}

void session_row__select(FILE *sql, const struct session_reader *r)
{
	bool first = true;

	for (int stream = 0; stream < STREAM_COUNT; stream++) {
		struct row row = { .r = r, .stream = stream };

		if (!json_object_get(json_object_get(r->root, "streams"),
				     schema_streams[stream].key))
			continue;
		row.counts = counts_of(r, stream);
		row.lost = lost_of(row.counts);
		count_files(&row);
		fputs(first ? "SELECT " : "UNION ALL SELECT ", sql);
		first = false;
		for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
			fputs(i ? ", " : "", sql);
			columns[i].put(sql, &row);
			fprintf(sql, " AS \"%s\"", columns[i].name);
		}
		fputc('\n', sql);
	}
}

/* ---- the session ---- */

int session_row__day(const struct session_reader *r, int64_t *ret)
{
	json_t *session = json_object_get(r->root, "session");
	const char *text = json_string_value(json_object_get(session, "started_at"));
	struct tm tm = { 0 };
	int32_t zone = 0;
	const char *end = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
	int64_t t;

	if (end && *end == '.')
		end += 1 + strspn(end + 1, "0123456789");
	if (!end || (strcmp(end, "Z") && !clock__parse_utc_offset(end, &zone)))
		return -EBADMSG;
	t = timegm(&tm) - zone;
	*ret = t / DAY_S - (t % DAY_S < 0);
	return 0;
}

const char *session_row__name(const struct session_reader *r)
{
	const char *id = json_string_value(json_object_get(r->root, "session_id")),
		   *slash = id ? strrchr(id, '/') : NULL;

	return slash ? slash + 1 : id ?: "";
}

uint64_t session_row__lost(const struct session_reader *r, enum stream stream)
{
	json_t *value;
	const char *cause;
	uint64_t sum = 0;

	json_object_foreach(lost_of(counts_of(r, stream)), cause, value)
		sum += json_integer_value(value);
	return sum;
}
