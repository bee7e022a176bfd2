// SPDX-License-Identifier: GPL-2.0-or-later
#include "export/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/shown.h"
#include "dataset/older_rows.h"
#include "dataset/row_file.h"
#include "dataset/session_walk.h"
#include "schema/schema.h"

#define DEPTH_MAX 4

struct scan {
	const struct scan_config *config;
	struct scan_result *result;
	int err;
	char *wide; /* a line of an older session, extended to all columns */
};

static void fail_scan(struct scan *s, int err, const char *path, const char *what)
{
	char shown[SHOWN_MAX(200)];

	if (s->err)
		return;
	s->err = err;
	shown__copy(shown, path, strnlen(path, 200));
	snprintf(s->result->why, sizeof(s->result->why), "%s: %s", shown, what);
}

/* Returns the stream with this header row, or -1. */
static int stream_of(const char *line, size_t len)
{
	for (int i = 0; i < STREAM_COUNT; i++)
		if (older_rows__columns(i, line, len))
			return i;
	return -1;
}

/* Gives a row of an older session all columns. Returns false if LINE is not a row. */
static bool widen(struct scan *s, size_t missing, char **line, size_t *len)
{
	if (!older_rows__widen(*line, *len, missing, s->wide))
		return false;
	*line = s->wide;
	*len += missing;
	return true;
}

/* Reads the rows after the header row, which lack MISSING columns. FACTS has the expected number;
 * NULL: any number, and the file may be unfinished. */
static void read_rows(struct scan *s, const struct session_reader *session, enum stream stream,
		      size_t missing, struct row_file *f, const char *path,
		      const struct file_facts *facts)
{
	uint64_t rows = 0;
	char *line;
	size_t len;
	int got;

	while ((got = row_file__next(f, &line, &len)) == 1) {
		int err = missing && !widen(s, missing, &line, &len) ?
				  -EBADMSG :
				  s->config->line(s->config->arg, session, stream, line, len);

		rows++;
		if (err) {
			fail_scan(s, err, path,
				  err == -EBADMSG ? "a row does not match the schema" :
						    strerror(-err));
			return;
		}
	}
	s->result->rows[stream] += rows;
	if (got < 0)
		fail_scan(s, got, path, got == -EBADMSG ? row_file__why(f) : strerror(-got));
	else if (facts && (!row_file__ended(f) || rows != facts->rows))
		fail_scan(s, -EBADMSG, path, "not as many rows as the manifest says");
}

static void read_lines(struct scan *s, const struct session_reader *session, struct row_file *f,
		       const char *path, const struct file_facts *facts)
{
	int stream = facts ? (int)facts->stream : -1, got;
	size_t len, columns;
	char *line;

	got = row_file__next(f, &line, &len);
	if (got < 0) {
		fail_scan(s, got, path, got == -EBADMSG ? row_file__why(f) : strerror(-got));
		return;
	}
	if (got && stream < 0)
		stream = stream_of(line, len);
	columns = got && stream >= 0 ? older_rows__columns(stream, line, len) : 0;
	if (facts ? got && !columns : !columns)
		fail_scan(s, -EBADMSG, path, "its header row does not match the schema");
	else if (s->config->streams >> stream & 1)
		read_rows(s, session, stream,
			  columns ? schema_streams[stream].n_columns - columns : 0, f, path, facts);
}

static void read_file(struct scan *s, const struct session_reader *session, int fd,
		      const char *path, const struct file_facts *facts)
{
	struct row_file_config config = { .fd = fd, .raw_bytes = facts ? facts->raw_bytes : 0 };
	struct row_file *f = NULL;
	int err = fd < 0 ? fd : row_file__new(&f, &config);

	if (err) {
		fail_scan(s, err, path, strerror(-err));
	} else {
		s->result->files++;
		read_lines(s, session, f, path, facts);
	}
	row_file__free(f);
	if (fd >= 0)
		close(fd);
}

static void count_lost(struct scan *s, const struct session_reader *session)
{
	json_t *diagnostics = json_object_get(session->root, "diagnostics");
	json_t *streams = json_object_get(diagnostics, "streams"), *value;
	const char *cause;

	for (int i = 0; i < STREAM_COUNT; i++) {
		json_t *counts = json_object_get(streams, schema_streams[i].key);
		json_t *lost = json_object_get(counts, "lost");

		json_object_foreach(lost ? lost : json_object_get(counts, "lost_at_least"), cause,
				    value)
			s->result->lost[i] += json_integer_value(value);
	}
}

static void read_session(struct scan *s, struct session_reader *session, const char *path)
{
	int err = s->config->session ? s->config->session(s->config->arg, session) : 0;

	if (!err && session->broken)
		err = -EBADMSG;
	if (err) {
		fail_scan(s, err, path, session->broken ? session->why : strerror(-err));
		return;
	}
	s->result->sessions++;
	s->result->unfinished |= session->running;
	count_lost(s, session);
	for (size_t i = 0; i < session->n_files && !s->err; i++) {
		const struct file_facts *facts = &session->files[i];

		if (s->config->streams >> facts->stream & 1 &&
		    (!s->config->file || s->config->file(s->config->arg, facts)))
			read_file(s, session, session_reader__open(session, facts, false),
				  facts->path, facts);
	}
}

static void on_session(void *arg, int parent, const char *name, int dir, const char *path)
{
	struct session_reader session = { .fd = dir };
	struct scan *s = arg;

	if (s->err)
		return;
	if (session_reader__read(&session))
		fail_scan(s, -EBADMSG, path, session.why);
	else
		read_session(s, &session, path);
	session_reader__clear(&session);
}

static void on_failed(void *arg, const char *path, int err)
{
	fail_scan(arg, err, path, strerror(-err));
}

static bool is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

int scan__run(const struct scan_config *config, struct scan_result *ret)
{
	struct scan s = { .config = config, .result = ret };
	const struct session_walk walk = {
		.on_session = on_session,
		.on_failed = on_failed,
		.depth = DEPTH_MAX,
		.arg = &s,
	};

	memset(ret, 0, sizeof(*ret));
	s.wide = malloc(ROW_FILE_LINE_MAX + SCHEMA_HEADER_MAX + ROW_FILE_SLACK);
	if (!s.wide)
		return -ENOMEM;
	for (const char *const *path = config->paths; *path && !s.err; path++) {
		uint64_t before = ret->sessions;

		if (config->files && is_file(*path)) {
			int fd = open(*path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

			read_file(&s, NULL, fd < 0 ? -errno : fd, *path, NULL);
			continue;
		}
		session_walk__run(&walk, *path);
		if (ret->sessions == before)
			fail_scan(&s, -ENOENT, *path, "no session (manifest.json) here or below");
	}
	free(s.wide);
	return s.err;
}
