// SPDX-License-Identifier: GPL-2.0-or-later
#include "export/rows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataset/session_reader.h"
#include "export/session_names.h"
#include "export/sorter.h"
#include "export/spill_file.h"
#include "export/where.h"
#include "platform/libc.h"

#define MEMORY (64 * 1024 * 1024)
#define PROGRESS_ROWS 16384 /* between two calls of progress() */

/* The sorter's record before a row's line. */
struct row_head {
	uint64_t mono_ns, wall_ns;
	int32_t utc_offset_s;
	uint16_t stream;
	uint32_t origin;
};

/* The session of a row. */
struct origin {
	char *machine, *session, *boot;
	struct session_names *names;
};

struct rows {
	const struct rows_config *config;
	struct sorter *sorter;
	struct origin *origins; /* of all sessions */
	size_t n_origins;
	uint64_t read, given;
	int sorting; /* a failure of the sorter: negative errno */
	char line[sizeof(struct row_head) + ROW_FILE_LINE_MAX + 1]; /* one, on its way */
};

static void tell_progress(const struct rows *r)
{
	if (r->config->progress && (r->read + r->given) % PROGRESS_ROWS == 0)
		r->config->progress(r->config->arg, r->read, r->given);
}

/* ---- reading ---- */

/* Splits LINE into FIELDS and completes ROW with them. */
static bool take_fields(struct export_row *row, char *line, size_t len, struct row_field *fields)
{
	const struct stream_schema *schema = &schema_streams[row->stream];
	const char *why;

	row->fields = fields;
	return row_file__split(line, len, fields, &why) == (int)schema->n_columns &&
	       row__uint(row, (int)schema->n_columns - 1, &row->mono_ns) &&
	       row->mono_ns <= INT64_MAX;
}

static int add_line(struct rows *r, const struct session_reader *session, enum stream stream,
		    char *line, size_t len)
{
	struct row_field fields[ROW_FIELDS_MAX];
	struct export_row row = { .stream = stream };
	struct row_head head = { .stream = stream, .origin = r->n_origins - 1 };
	const struct clock_offset *offset;
	uint64_t key;

	r->read++;
	tell_progress(r);
	/* Splitting modifies the line, so the copy's is split later. */
	memcpy(r->line + sizeof(head), line, len);
	if (!take_fields(&row, line, len, fields))
		return -EBADMSG;
	if (r->config->where && !where__meets(r->config->where, &row))
		return 0;
	head.mono_ns = row.mono_ns;
	offset = clock__offset_at(session->offsets, session->n_offsets, row.mono_ns);
	head.wall_ns = row.mono_ns + offset->offset_ns;
	head.utc_offset_s = offset->utc_offset_s;
	key = row.mono_ns + session->offsets[0].offset_ns;
	if (r->config->lead)
		key -= r->config->lead(&row);
	memcpy(r->line, &head, sizeof(head));
	r->sorting = sorter__add(r->sorter, key, r->line, sizeof(head) + len);
	return r->sorting;
}

static int on_line(void *arg, const struct session_reader *session, enum stream stream, char *line,
		   size_t len)
{
	return add_line(arg, session, stream, line, len);
}

/* Sets *RET to a copy of a string of the manifest, after its last '/', if there is one. Returns
 * false if out of memory. */
static bool copy_text(const struct session_reader *session, const char *key, char **ret)
{
	const char *text = json_string_value(json_object_get(session->root, key)),
		   *slash = text ? strrchr(text, '/') : NULL;

	if (text)
		*ret = strdup(slash ? slash + 1 : text);
	return !text || *ret;
}

static int add_origin(void *arg, struct session_reader *session)
{
	struct rows *r = arg;
	struct origin *origins = reallocarray(r->origins, r->n_origins + 1, sizeof(*origins)), *o;

	if (!origins)
		return -ENOMEM;
	r->origins = origins;
	o = &origins[r->n_origins++];
	*o = (struct origin){ .machine = strdup(session_reader__string(session, session->root, "",
								       "machine_id")) };
	if (!o->machine || !copy_text(session, "session_id", &o->session) ||
	    !copy_text(session, "boot_id", &o->boot))
		return -ENOMEM;
	return session_names__new(&o->names, session->root);
}

/* ---- giving ---- */

static int give(struct rows *r)
{
	struct row_field fields[ROW_FIELDS_MAX];
	const void *data;
	struct row_head head;
	uint64_t key;
	size_t len;
	int got;

	while ((got = sorter__next(r->sorter, &key, &data, &len)) == 1) {
		const struct origin *o;
		struct export_row row;

		memcpy(&head, data, sizeof(head));
		len -= sizeof(head);
		memcpy(r->line, (const char *)data + sizeof(head), len);
		o = &r->origins[head.origin];
		row = (struct export_row){ .stream = head.stream,
					   .wall_ns = head.wall_ns,
					   .began_ns = key,
					   .machine = o->machine,
					   .session = o->session,
					   .boot = o->boot,
					   .utc_offset_s = head.utc_offset_s,
					   .names = o->names };
		if (!take_fields(&row, r->line, len, fields))
			return -EBADMSG;
		r->given++;
		tell_progress(r);
		got = r->config->row(r->config->arg, &row);
		if (got)
			return got;
	}
	r->sorting = got;
	return got;
}

static void free_rows(struct rows *r)
{
	for (size_t i = 0; i < r->n_origins; i++) {
		free(r->origins[i].machine);
		free(r->origins[i].session);
		free(r->origins[i].boot);
		session_names__free(r->origins[i].names);
	}
	free(r->origins);
	sorter__free(r->sorter);
	free(r);
}

int rows__read(const struct rows_config *config, struct scan_result *ret)
{
	struct rows *r = calloc(1, sizeof(*r));
	const struct scan_config scan = { .paths = config->paths,
					  .streams = config->streams,
					  .session = add_origin,
					  .line = on_line,
					  .arg = r };
	int err;

	memset(ret, 0, sizeof(*ret));
	if (!r || sorter__new(&r->sorter, MEMORY)) {
		free(r);
		snprintf(ret->why, sizeof(ret->why), "out of memory");
		return -ENOMEM;
	}
	r->config = config;
	err = scan__run(&scan, ret);
	if (!err) {
		err = give(r);
		if (err)
			snprintf(ret->why, sizeof(ret->why), "the export: %s", strerror(-err));
	}
	if (spill_file__advice(r->sorting))
		snprintf(ret->why, sizeof(ret->why), "%s", spill_file__advice(r->sorting));
	free_rows(r);
	return err;
}
