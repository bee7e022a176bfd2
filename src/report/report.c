// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/shown.h"
#include "dataset/session_reader.h"
#include "report/data.h"
#include "report/feed.h"
#include "report/figures_rows.h"
#include "report/page.h"

#define FAULTS_MAX 100
#define DIVISOR_MAX 64

struct report {
	const struct report_config *config;
	struct report_result *result;
	struct session_reader session;
	struct figures *all_figures[FEED_WORKERS_MAX]; /* the first one finally gets all */
	struct feed_result feed;
	json_t *faults;
};

static int fail(struct report *r, int err, const char *what)
{
	char shown[SHOWN_MAX(200)];

	shown__copy(shown, r->config->path, strnlen(r->config->path, 200));
	snprintf(r->result->why, sizeof(r->result->why), "%s: %s", shown, what);
	return err;
}

static int on_row(void *arg, unsigned int worker, enum stream stream,
		  const struct row_field *fields)
{
	struct report *r = arg;

	return figures__row(r->all_figures[worker], stream, fields);
}

static void on_fault(void *arg, const char *path, const char *what)
{
	struct report *r = arg;

	r->result->faults++;
	if (json_array_size(r->faults) < FAULTS_MAX)
		json_array_append_new(r->faults, json_sprintf("%s: %s", path, what));
}

static void on_progress(void *arg, uint64_t read, uint64_t total)
{
	struct report *r = arg;

	r->config->progress(r->config->arg, read, total);
}

/* The times of the first and last row, as far as the manifest has them. */
static void find_span(const struct report *r, uint64_t *ret_origin, uint64_t *ret_end)
{
	const struct session_reader *s = &r->session;
	const struct clock_offset *last = &s->offsets[s->n_offsets - 1];
	uint64_t newest = feed__newest(s);

	/* A file that is being written may have earlier rows than the finished ones. */
	*ret_origin = newest ? s->offsets[0].from_mono_ns : UINT64_MAX;
	*ret_end = 0;
	for (size_t i = 0; i < s->n_files; i++) {
		const struct file_facts *f = &s->files[i];

		/* A span of losses begins earlier, and snapshots are not I/O. */
		if (!f->rows || f->stream >= STREAM_CAPTURED)
			continue;
		if (f->last_mono_ns > *ret_end)
			*ret_end = f->last_mono_ns;
		if (f->first_mono_ns < *ret_origin)
			*ret_origin = f->first_mono_ns;
	}
	if (*ret_origin == UINT64_MAX)
		*ret_origin = s->offsets[0].from_mono_ns;
	if (newest && (int64_t)newest - last->offset_ns > (int64_t)*ret_end)
		*ret_end = newest - last->offset_ns;
}

static int add_up(struct report *r)
{
	int err = 0;

	for (unsigned int i = 1; i < r->config->workers && !err; i++) {
		err = figures__merge(r->all_figures[0], r->all_figures[i]);
		r->all_figures[i] = figures__free(r->all_figures[i]);
	}
	return err;
}

static int count(struct report *r)
{
	const struct feed_config config = {
		.session = &r->session,
		.workers = r->config->workers,
		.row = on_row,
		.fault = on_fault,
		.progress = r->config->progress ? on_progress : NULL,
		.arg = r,
	};
	uint64_t origin, end;
	int err = 0;

	find_span(r, &origin, &end);
	for (unsigned int i = 0; i < r->config->workers && !err; i++)
		err = figures__new(&r->all_figures[i], origin, end);
	if (!err)
		err = feed__run(&config, &r->feed);
	return err ? err : add_up(r);
}

static json_t *make_data(struct report *r, unsigned int divisor)
{
	const struct data_config config = {
		.session = &r->session,
		.path = r->config->path,
		.figures = r->all_figures[0],
		.feed = &r->feed,
		.faults = r->faults,
		.anonymous = r->config->anonymous,
		.live = r->config->live,
		.sample_divisor = divisor,
	};

	return data__make(&config);
}

static int begin_report(struct report *r, const struct report_config *config,
			struct report_result *result)
{
	int err;

	*r = (struct report){ .config = config, .result = result, .session.fd = config->dir };
	*result = (struct report_result){ .rows = 0 };
	r->faults = json_array();
	if (session_reader__read(&r->session))
		return fail(r, -EBADMSG, r->session.why);
	err = count(r);
	if (err)
		return fail(r, err, strerror(-err));
	for (int i = 0; i < STREAM_COUNT; i++)
		result->rows += r->feed.rows[i];
	result->running = r->session.running;
	return 0;
}

static void end(struct report *r)
{
	for (unsigned int i = 0; i < FEED_WORKERS_MAX; i++)
		figures__free(r->all_figures[i]);
	session_reader__clear(&r->session);
	json_decref(r->faults);
}

int report__data(const struct report_config *config, json_t **ret_data,
		 struct report_result *result)
{
	struct report r;
	int err = begin_report(&r, config, result);

	if (!err) {
		*ret_data = make_data(&r, config->sample_divisor);
		err = *ret_data ? 0 : fail(&r, -ENOMEM, strerror(ENOMEM));
	}
	end(&r);
	return err;
}

/* Builds pages with fewer and fewer samples until one is small enough. */
static int make_page(struct report *r, char **ret_page, size_t *ret_len)
{
	unsigned int divisor = r->config->sample_divisor ?: 1;

	for (;; divisor *= 2) {
		json_t *data = make_data(r, divisor);
		char *page = data ? page__make(data, ret_len) : NULL;

		json_decref(data);
		if (!page)
			return -ENOMEM;
		if (*ret_len <= PAGE_MAX || divisor >= DIVISOR_MAX) {
			*ret_page = page;
			return 0;
		}
		free(page);
	}
}

int report__page(const struct report_config *config, char **ret_page, size_t *ret_len,
		 struct report_result *result)
{
	struct report r;
	int err = begin_report(&r, config, result);

	if (!err) {
		err = make_page(&r, ret_page, ret_len);
		if (err)
			fail(&r, err, strerror(-err));
	}
	end(&r);
	return err;
}
