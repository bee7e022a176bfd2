// SPDX-License-Identifier: GPL-2.0-or-later
#include "export/rows.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/shown.h"
#include "dataset/field.h"
#include "dataset/session_reader.h"
#include "dataset/session_walk.h"
#include "export/sorter.h"
#include "export/where.h"

#define DEPTH_MAX 4
#define MEMORY (64 * 1024 * 1024)

/* What the sorter keeps before a row's line. */
struct head {
	uint64_t mono_ns, wall_ns;
	uint32_t stream, machine;
};

struct rows {
	const struct rows_config *config;
	struct rows_result *result;
	struct sorter *sorter;
	char **machines; /* ids, one for each session */
	size_t n_machines;
	char line[sizeof(struct head) + ROW_FILE_LINE_MAX + 1]; /* one, on its way */
	int err;
};

static void fail(struct rows *r, int err, const char *path, const char *what)
{
	char shown[SHOWN_MAX(200)];

	if (r->err)
		return;
	r->err = err;
	shown__copy(shown, path, strnlen(path, 200));
	snprintf(r->result->why, sizeof(r->result->why), "%s: %s", shown, what);
}

/* ---- reading ---- */

/* Splits LINE into FIELDS and completes ROW with them. */
static bool take_fields(struct export_row *row, char *line, size_t len, struct row_field *fields)
{
	const struct stream_schema *schema = &schema_streams[row->stream];
	const char *why;

	row->fields = fields;
	return row_file__split(line, len, fields, &why) == (int)schema->n_columns &&
	       row__uint(row, schema->n_columns - 1, &row->mono_ns) && row->mono_ns <= INT64_MAX;
}

static int add_line(struct rows *r, const struct session_reader *session, enum stream stream,
		    char *line, size_t len)
{
	struct row_field fields[ROW_FIELDS_MAX];
	struct export_row row = { .stream = stream };
	struct head head = { .stream = stream, .machine = r->n_machines - 1 };
	uint64_t key;

	/* Splitting writes into the line: that of the copy comes later. */
	memcpy(r->line + sizeof(head), line, len);
	if (!take_fields(&row, line, len, fields))
		return -EBADMSG;
	r->result->rows[stream]++;
	if (r->config->where && !where__meets(r->config->where, &row))
		return 0;
	head.mono_ns = row.mono_ns;
	head.wall_ns =
		row.mono_ns +
		clock__offset_at(session->offsets, session->n_offsets, row.mono_ns)->offset_ns;
	key = row.mono_ns + session->offsets[0].offset_ns;
	if (r->config->lead)
		key -= r->config->lead(&row);
	memcpy(r->line, &head, sizeof(head));
	return sorter__add(r->sorter, key, r->line, sizeof(head) + len);
}

static bool is_header(enum stream stream, const char *line, size_t len)
{
	char header[SCHEMA_HEADER_MAX];

	return len + 1 == schema__header(stream, header) && !memcmp(line, header, len);
}

static void read_lines(struct rows *r, const struct session_reader *session,
		       const struct file_facts *file, struct row_file *f)
{
	uint64_t rows = 0;
	char *line;
	size_t len;
	int got = row_file__next(f, &line, &len);

	if (got == 1 && !is_header(file->stream, line, len)) {
		fail(r, -EBADMSG, file->path, "its header row is not the schema's");
		return;
	}
	while (got == 1 && (got = row_file__next(f, &line, &len)) == 1) {
		int err = add_line(r, session, file->stream, line, len);

		rows++;
		if (err) {
			fail(r, err, file->path,
			     err == -EBADMSG ? "a row is none of the schema's" : strerror(-err));
			return;
		}
	}
	if (got < 0)
		fail(r, got, file->path, got == -EBADMSG ? row_file__why(f) : strerror(-got));
	else if (!row_file__ended(f) || rows != file->rows)
		fail(r, -EBADMSG, file->path, "not as many rows as the manifest says");
}

static void read_file(struct rows *r, const struct session_reader *session,
		      const struct file_facts *file)
{
	int fd = session_reader__open(session, file, false), err;
	struct row_file_config config = { .fd = fd, .raw_bytes = file->raw_bytes };
	struct row_file *f = NULL;

	if (fd < 0) {
		fail(r, fd, file->path, strerror(-fd));
		return;
	}
	err = row_file__new(&f, &config);
	if (err)
		fail(r, err, file->path, strerror(-err));
	else
		read_lines(r, session, file, f);
	row_file__free(f);
	close(fd);
}

static void count_lost(struct rows *r, struct session_reader *session)
{
	json_t *diagnostics = json_object_get(session->root, "diagnostics");
	json_t *streams = json_object_get(diagnostics, "streams"), *value;
	const char *cause;

	for (int i = 0; i < STREAM_COUNT; i++) {
		json_t *counts = json_object_get(streams, schema_streams[i].key);
		json_t *lost = json_object_get(counts, "lost");

		json_object_foreach(lost ? lost : json_object_get(counts, "lost_at_least"), cause,
				    value)
			r->result->lost[i] += json_integer_value(value);
	}
}

static int add_machine(struct rows *r, const char *id)
{
	char **machines = reallocarray(r->machines, r->n_machines + 1, sizeof(*machines));

	if (!machines)
		return -ENOMEM;
	r->machines = machines;
	machines[r->n_machines] = strdup(id);
	return machines[r->n_machines] ? (r->n_machines++, 0) : -ENOMEM;
}

static bool is_session(int dir, const char *name)
{
	return session_walk__has_manifest(dir);
}

static void on_session(void *arg, int parent, const char *name, int dir, const char *path)
{
	struct session_reader session = { .fd = dir };
	struct rows *r = arg;

	if (r->err)
		return;
	if (session_reader__read(&session)) {
		fail(r, -EBADMSG, path, session.why);
	} else if (add_machine(r,
			       session_reader__string(&session, session.root, "", "machine_id"))) {
		fail(r, -ENOMEM, path, strerror(ENOMEM));
	} else {
		r->result->sessions++;
		r->result->unfinished |= session.running;
		count_lost(r, &session);
		for (size_t i = 0; i < session.n_files && !r->err; i++)
			if (r->config->streams >> session.files[i].stream & 1)
				read_file(r, &session, &session.files[i]);
	}
	session_reader__clear(&session);
}

static void on_failed(void *arg, const char *path, int err)
{
	fail(arg, err, path, strerror(-err));
}

/* ---- giving ---- */

static int give(struct rows *r)
{
	struct row_field fields[ROW_FIELDS_MAX];
	const void *data;
	struct head head;
	uint64_t key;
	size_t len;
	int got;

	while ((got = sorter__next(r->sorter, &key, &data, &len)) == 1) {
		struct export_row row;

		memcpy(&head, data, sizeof(head));
		len -= sizeof(head);
		memcpy(r->line, (const char *)data + sizeof(head), len);
		row = (struct export_row){ .stream = head.stream,
					   .wall_ns = head.wall_ns,
					   .machine = r->machines[head.machine] };
		if (!take_fields(&row, r->line, len, fields))
			return -EBADMSG;
		got = r->config->row(r->config->arg, &row);
		if (got)
			return got;
	}
	return got;
}

static void free_rows(struct rows *r)
{
	for (size_t i = 0; i < r->n_machines; i++)
		free(r->machines[i]);
	free(r->machines);
	sorter__free(r->sorter);
	free(r);
}

int rows__read(const struct rows_config *config, struct rows_result *ret)
{
	struct rows *r = calloc(1, sizeof(*r));
	const struct session_walk walk = {
		.is_session = is_session,
		.on_session = on_session,
		.on_failed = on_failed,
		.depth = DEPTH_MAX,
		.arg = r,
	};
	int err;

	memset(ret, 0, sizeof(*ret));
	if (!r || sorter__new(&r->sorter, MEMORY)) {
		free(r);
		snprintf(ret->why, sizeof(ret->why), "out of memory");
		return -ENOMEM;
	}
	r->config = config;
	r->result = ret;
	for (const char *const *path = config->paths; *path && !r->err; path++) {
		uint64_t before = ret->sessions;

		session_walk__run(&walk, *path);
		if (ret->sessions == before)
			fail(r, -ENOENT, *path, "no session (manifest.json) here or below");
	}
	if (!r->err) {
		err = give(r);
		if (err)
			fail(r, err, "the export", strerror(-err));
	}
	err = r->err;
	free_rows(r);
	return err;
}
