// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/feed.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dir_names.h"
#include "base/shown.h"
#include "base/thread.h"
#include "dataset/older_rows.h"
#include "platform/libc.h"
#include "platform/macros.h"
#include "schema/schema.h"

#define BATCH_BYTES (ROW_FILE_LINE_MAX + 1) /* bytes; any line fits */
#define BATCHES_SPARE 2                     /* besides one for each worker */
#define PATH_SIZE 320

/* Whole lines of one file. */
struct batch {
	struct batch *next;
	enum stream stream;
	size_t len;
	char data[BATCH_BYTES];
};

/* One file to read. */
struct feed_source {
	enum stream stream;
	bool part;
	uint64_t raw_bytes, rows; /* as in the manifest; 0 and part: unknown */
	uint64_t size;            /* on the disk */
	char path[PATH_SIZE];     /* relative to the session */
};

struct feed {
	const struct feed_config *config;
	struct feed_result *result;
	struct feed_source *sources;
	size_t n_sources;
	uint64_t total, before; /* compressed bytes: of all files, and of the finished part */

	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct batch *full, **full_end, *empty;
	bool end;
	atomic_int err; /* the first of any thread */

	struct feed_worker {
		struct feed *feed;
		unsigned int number;
		pthread_t thread;
		uint64_t rows[STREAM_COUNT], bad;
	} workers[FEED_WORKERS_MAX];
};

/* ---- the workers ---- */

static int give_line(struct feed_worker *w, enum stream stream, char *line, size_t len)
{
	struct row_field fields[ROW_FIELDS_MAX];
	const char *why;

	if (row_file__split(line, len, fields, &why) != (int)schema_streams[stream].n_columns) {
		w->bad++;
		return 0;
	}
	w->rows[stream]++;
	return w->feed->config->row(w->feed->config->arg, w->number, stream, fields);
}

static int give_batch(struct feed_worker *w, struct batch *c)
{
	char *line = c->data, *end = c->data + c->len;
	int err = 0;

	while (line < end && !err) {
		char *lf = memchr(line, '\n', end - line);

		err = give_line(w, c->stream, line, lf - line);
		line = lf + 1;
	}
	return err;
}

/* Returns the next full batch; NULL at the end. */
static struct batch *take_full(struct feed *f)
{
	struct batch *c;

	pthread_mutex_lock(&f->lock);
	while (!f->full && !f->end && !f->err)
		pthread_cond_wait(&f->wake, &f->lock);
	c = f->err ? NULL : f->full;
	if (c) {
		f->full = c->next;
		if (!f->full)
			f->full_end = &f->full;
	}
	pthread_mutex_unlock(&f->lock);
	return c;
}

static void put_empty(struct feed *f, struct batch *c, int err)
{
	pthread_mutex_lock(&f->lock);
	c->next = f->empty;
	f->empty = c;
	if (err && !f->err)
		f->err = err;
	pthread_cond_broadcast(&f->wake);
	pthread_mutex_unlock(&f->lock);
}

static void *work(void *arg)
{
	struct feed_worker *w = arg;
	struct batch *c;

	while ((c = take_full(w->feed)))
		put_empty(w->feed, c, give_batch(w, c));
	return NULL;
}

/* ---- the reader ---- */

/* Returns a batch to fill; NULL after an error. */
static struct batch *take_empty(struct feed *f, enum stream stream)
{
	struct batch *c;

	pthread_mutex_lock(&f->lock);
	while (!f->empty && !f->err)
		pthread_cond_wait(&f->wake, &f->lock);
	c = f->err ? NULL : f->empty;
	if (c) {
		f->empty = c->next;
		c->next = NULL;
		c->stream = stream;
		c->len = 0;
	}
	pthread_mutex_unlock(&f->lock);
	return c;
}

static void put_full(struct feed *f, struct batch *c)
{
	pthread_mutex_lock(&f->lock);
	*f->full_end = c;
	f->full_end = &c->next;
	pthread_cond_broadcast(&f->wake);
	pthread_mutex_unlock(&f->lock);
}

static void tell_progress(struct feed *f, uint64_t read)
{
	if (f->config->progress)
		f->config->progress(f->config->arg, f->before + read, f->total);
}

/* Fills batches with the lines after the header row, which lack MISSING columns. Returns the last
 * result of row_file__next(). */
static int read_lines(struct feed *f, const struct feed_source *s, struct row_file *file,
		      size_t missing, uint64_t *rows)
{
	struct batch *c = NULL;
	char *line;
	size_t len;
	int got;

	while ((got = row_file__next(file, &line, &len)) == 1) {
		if (c && c->len + len + missing + 1 > BATCH_BYTES) {
			put_full(f, c);
			c = NULL;
			tell_progress(f, row_file__compressed(file));
		}
		if (!c && !(c = take_empty(f, s->stream)))
			return 0;
		/* A line that is not a row is detected when it is split. */
		if (missing && older_rows__widen(line, len, missing, c->data + c->len))
			len += missing;
		else
			memcpy(c->data + c->len, line, len);
		c->data[c->len + len] = '\n';
		c->len += len + 1;
		++*rows;
	}
	if (c)
		put_full(f, c);
	return got;
}

static void fault(struct feed *f, const struct feed_source *s, const char *what)
{
	char path[SHOWN_MAX(PATH_SIZE)];

	shown__copy(path, s->path, strlen(s->path));
	f->config->fault(f->config->arg, path, what);
}

static void read_rows(struct feed *f, const struct feed_source *s, struct row_file *file)
{
	uint64_t rows = 0;
	char *line;
	size_t len;
	size_t columns = 0;
	int got = row_file__next(file, &line, &len);

	if (got == 1)
		columns = older_rows__columns(s->stream, line, len);
	if (got == 1 && !columns) {
		fault(f, s, "its header row does not match the schema");
		return;
	}
	if (got == 1)
		got = read_lines(f, s, file, schema_streams[s->stream].n_columns - columns, &rows);
	if (got < 0)
		fault(f, s, got == -EBADMSG ? row_file__why(file) : strerror(-got));
	else if (!s->part && !f->err && (!row_file__ended(file) || rows != s->rows))
		fault(f, s, "not as many rows as the manifest says");
	f->result->raw_bytes += row_file__raw(file);
}

static void read_source(struct feed *f, const struct feed_source *s)
{
	const char *name = strchr(s->path, '/') + 1;
	int fd = session_reader__open_in(f->config->session->fd, schema_streams[s->stream].subdir,
					 name);
	struct row_file_config config = { .raw_bytes = s->raw_bytes };
	struct row_file *file = NULL;
	int err;

	/* An unfinished file may have been renamed since it was found. */
	if (fd == -ENOENT && s->part) {
		char whole[PATH_SIZE];

		snprintf(whole, sizeof(whole), "%.*s", (int)strlen(name) - 5, name);
		fd = session_reader__open_in(f->config->session->fd,
					     schema_streams[s->stream].subdir, whole);
	}
	if (fd < 0) {
		fault(f, s, strerror(-fd));
		return;
	}
	config.fd = fd;
	err = row_file__new(&file, &config);
	if (err) {
		fault(f, s, strerror(-err));
	} else {
		read_rows(f, s, file);
		f->result->files++;
		f->result->parts += s->part;
	}
	row_file__free(file);
	close(fd);
}

/* ---- which files ---- */

static int add_source(struct feed *f, const struct feed_source *s)
{
	struct feed_source *sources = reallocarray(f->sources, f->n_sources + 1, sizeof(*sources));

	if (!sources)
		return -ENOMEM;
	f->sources = sources;
	sources[f->n_sources++] = *s;
	f->total += s->size;
	return 0;
}

static bool is_part(const char *name, const char *prefix)
{
	size_t len = strlen(name), n = strlen(prefix);

	return len > n + 13 && len < 256 && !strncmp(name, prefix, n) && name[n] == '_' &&
	       !strcmp(name + len - 13, ".csv.zst.part");
}

/* Calls ON for the unfinished files of STREAM. */
static int find_parts(const struct session_reader *session, enum stream stream,
		      int (*on)(void *arg, enum stream stream, const char *name,
				const struct stat *st),
		      void *arg)
{
	const struct stream_schema *schema = &schema_streams[stream];
	int dir = openat(session->fd, schema->subdir,
			 O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct dir_names names;
	int err;

	if (dir < 0)
		return 0;
	err = dir_names__read(&names, dir);
	for (size_t i = 0; !err && i < names.n; i++) {
		struct stat st;

		if (is_part(names.names[i], schema->prefix) &&
		    !fstatat(dir, names.names[i], &st, AT_SYMLINK_NOFOLLOW) && S_ISREG(st.st_mode))
			err = on(arg, stream, names.names[i], &st);
	}
	dir_names__clear(&names);
	close(dir);
	return err;
}

static int add_part(void *arg, enum stream stream, const char *name, const struct stat *st)
{
	struct feed_source s = { .stream = stream, .part = true, .size = st->st_size };

	snprintf(s.path, sizeof(s.path), "%s/%s", schema_streams[stream].subdir, name);
	return add_source(arg, &s);
}

static int note_time(void *arg, enum stream stream, const char *name, const struct stat *st)
{
	uint64_t ns = st->st_mtim.tv_sec * NSEC_PER_SEC + st->st_mtim.tv_nsec;

	if (ns > *(uint64_t *)arg)
		*(uint64_t *)arg = ns;
	return 0;
}

uint64_t feed__newest(const struct session_reader *session)
{
	uint64_t newest = 0;

	for (int i = 0; i < STREAM_COUNT; i++)
		find_parts(session, i, note_time, &newest);
	return newest;
}

static int find_sources(struct feed *f)
{
	const struct session_reader *session = f->config->session;
	int err = 0;

	for (size_t i = 0; i < session->n_files && !err; i++) {
		const struct file_facts *file = &session->files[i];
		struct feed_source s = { .stream = file->stream,
					 .raw_bytes = file->raw_bytes,
					 .rows = file->rows,
					 .size = file->compressed_bytes };

		snprintf(s.path, sizeof(s.path), "%s", file->path);
		err = add_source(f, &s);
	}
	for (int i = 0; i < STREAM_COUNT && !err; i++)
		err = find_parts(session, i, add_part, f);
	return err;
}

/* ---- all together ---- */

static int add_batches(struct feed *f, unsigned int n)
{
	while (n--) {
		struct batch *c = malloc(sizeof(*c));

		if (!c)
			return -ENOMEM;
		c->next = f->empty;
		f->empty = c;
	}
	return 0;
}

static void end_workers(struct feed *f, unsigned int n)
{
	pthread_mutex_lock(&f->lock);
	f->end = true;
	pthread_cond_broadcast(&f->wake);
	pthread_mutex_unlock(&f->lock);
	for (unsigned int i = 0; i < n; i++) {
		struct feed_worker *w = &f->workers[i];

		pthread_join(w->thread, NULL);
		for (int s = 0; s < STREAM_COUNT; s++)
			f->result->rows[s] += w->rows[s];
		f->result->bad += w->bad;
	}
}

static int run_workers(struct feed *f)
{
	unsigned int started = 0;
	int err = add_batches(f, f->config->workers + BATCHES_SPARE);

	while (!err && started < f->config->workers) {
		struct feed_worker *w = &f->workers[started];

		w->feed = f;
		w->number = started;
		err = thread__start(&w->thread, "report", work, w);
		started += !err;
	}
	for (size_t i = 0; i < f->n_sources && !err && !f->err; i++) {
		read_source(f, &f->sources[i]);
		f->before += f->sources[i].size;
		tell_progress(f, 0);
	}
	end_workers(f, started);
	return err ? err : f->err;
}

static void free_batches(struct batch *c)
{
	while (c) {
		struct batch *next = c->next;

		free(c);
		c = next;
	}
}

int feed__run(const struct feed_config *config, struct feed_result *ret)
{
	struct feed *f = calloc(1, sizeof(*f));
	int err;

	memset(ret, 0, sizeof(*ret));
	if (!f)
		return -ENOMEM;
	f->config = config;
	f->result = ret;
	f->full_end = &f->full;
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->wake, NULL);
	err = find_sources(f);
	if (!err)
		err = run_workers(f);
	free_batches(f->full);
	free_batches(f->empty);
	free(f->sources);
	pthread_cond_destroy(&f->wake);
	pthread_mutex_destroy(&f->lock);
	free(f);
	return err;
}
