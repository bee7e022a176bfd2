// SPDX-License-Identifier: GPL-2.0-or-later
#include "snappers/snap_rows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "schema/schema.h"

struct snap_rows {
	struct snap_rows_config config;
	struct csv_file *file;
	unsigned int first, part; /* number of the first part; parts so far */
	int error;
	uint64_t rows, first_ns, last_ns, file_rows;
	size_t len;
	char block[CSV_FILE_BLOCK];
	char *line; /* mapped; few of its pages are used */
};

int snap_rows__new(struct snap_rows **ret, const struct snap_rows_config *config,
		   unsigned int first)
{
	struct snap_rows *r = malloc(sizeof(*r));

	if (!r)
		return -ENOMEM;
	memset(r, 0, sizeof(*r));
	r->config = *config;
	r->first = first;
	r->line = mmap(NULL, SNAP_ROW_MAX, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (r->line == MAP_FAILED) {
		free(r);
		return -ENOMEM;
	}
	*ret = r;
	return 0;
}

struct snap_rows *snap_rows__free(struct snap_rows *r)
{
	if (!r)
		return NULL;
	csv_file__free(r->file);
	munmap(r->line, SNAP_ROW_MAX);
	free(r);
	return NULL;
}

unsigned int snap_rows__parts(const struct snap_rows *r)
{
	return r->part;
}

char *snap_rows__line(struct snap_rows *r)
{
	return r->line;
}

static void name_file(struct snap_rows *r, char name[CSV_FILE_NAME_MAX], const char *word)
{
	int n = snprintf(name, CSV_FILE_NAME_MAX, "%s_%s_%04u",
			 schema_streams[r->config.stream].prefix, r->config.stamp,
			 r->first + r->part - 1);

	if (word)
		snprintf(name + n, CSV_FILE_NAME_MAX - n, "_%s_parts%u", word, r->part);
}

static int open_file(struct snap_rows *r)
{
	struct csv_file_config config = {
		.session_fd = r->config.session_fd,
		.stream = r->config.stream,
		.level = r->config.level,
		.uid = r->config.uid,
		.gid = r->config.gid,
		.budget = r->config.budget,
	};
	char name[CSV_FILE_NAME_MAX];

	if (r->file)
		return 0;
	r->part++;
	r->file_rows = 0;
	name_file(r, name, NULL);
	config.name = name;
	return csv_file__new(&r->file, &config);
}

/* A file that cannot be finished is deleted: the manifest could not list it. */
static int finish_file(struct snap_rows *r, const char *word)
{
	char name[CSV_FILE_NAME_MAX];
	int err;

	name_file(r, name, word);
	err = csv_file__finish(r->file, name);
	if (err) {
		atomic_fetch_sub(&r->config.counts->written, r->file_rows);
		atomic_fetch_add(&r->config.counts->lost_disk, r->file_rows);
		r->file = csv_file__abandon(r->file);
		return err;
	}
	atomic_fetch_add(&r->config.counts->bytes, csv_file__facts(r->file)->compressed_bytes);
	if (r->config.finished)
		r->config.finished(r->config.arg, csv_file__facts(r->file));
	r->file = csv_file__free(r->file);
	return 0;
}

static int flush(struct snap_rows *r)
{
	const struct csv_rows rows = { .data = r->block,
				       .len = r->len,
				       .n = r->rows,
				       .first_ns = r->first_ns,
				       .last_ns = r->last_ns };
	int err = 0;

	if (!r->rows)
		return r->error;
	if (!r->error) {
		err = open_file(r);
		if (!err)
			err = csv_file__append(r->file, &rows);
		r->error = err;
	}
	if (r->error) {
		atomic_fetch_add(&r->config.counts->lost_disk, r->rows);
	} else {
		atomic_fetch_add(&r->config.counts->written, r->rows);
		r->file_rows += r->rows;
	}
	r->rows = r->len = 0;
	if (!r->error && r->config.part_bytes &&
	    csv_file__facts(r->file)->compressed_bytes >= r->config.part_bytes)
		r->error = finish_file(r, NULL);
	return r->error;
}

int snap_rows__add(struct snap_rows *r, char *end, uint64_t mono_ns)
{
	size_t len = end - r->line;

	if (r->len + len > CSV_FILE_BLOCK)
		flush(r);
	atomic_fetch_add(&r->config.counts->seen, 1);
	if (r->error || len > CSV_FILE_BLOCK) {
		atomic_fetch_add(&r->config.counts->lost_disk, 1);
		return r->error ? r->error : -E2BIG;
	}
	memcpy(r->block + r->len, r->line, len);
	r->len += len;
	if (!r->rows || mono_ns < r->first_ns)
		r->first_ns = mono_ns;
	if (!r->rows || mono_ns > r->last_ns)
		r->last_ns = mono_ns;
	r->rows++;
	return 0;
}

int snap_rows__end(struct snap_rows *r, const char *word)
{
	int err = flush(r);

	if (!err)
		err = open_file(r);
	if (r->file) {
		int finished = finish_file(r, word && err ? "incomplete" : word);

		err = err ? err : finished;
	}
	r->error = err ? err : -EBADF; /* no more rows */
	return err;
}
