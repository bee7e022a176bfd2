// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/digest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/shown.h"
#include "base/units.h"
#include "dataset/row_fields.h"
#include "export/scan.h"
#include "platform/macros.h"
#include "summary/measure.h"
#include "summary/summary.h"

#define TOP 3
#define NAME_MAX_SHOWN 36   /* bytes of a file's name; longer names are cut at the start */
#define ROWS_AT_ONCE 1024   /* rows between two checks of the time */
#define ROWS_IN_BUDGET 1000 /* a row takes about a microsecond */

/* Reads and writes may also wait for users or for other processes; those that wait for a disk are
 * more interesting. */
struct slow {
	uint64_t ns;
	char operation[32];
	char file[NAME_MAX_SHOWN + 8];
};

/* These, the size of the sample and the slowest calls are ten lines. */
#define QUESTIONS 8
#define STREAMS (1 << STREAM_FS | 1 << STREAM_BLOCK | 1 << STREAM_NW_CONN)

/* The questions of a stream are neighbours. */
static const struct question {
	const char *head;
	enum stream stream;
	const char *by[SUMMARY_BY_MAX + 1];
	const char *sort;
	bool failed;           /* count only what failed */
	const char *operation; /* only this one; NULL: all */
} questions[QUESTIONS] = {
	{ "Busiest processes", STREAM_FS, { "process" }, "total" },
	{ "Most written by", STREAM_FS, { "process" }, "bytes", .operation = "write" },
	{ "Busiest files", STREAM_FS, { "file" }, "bytes" },
	{ "Errors", STREAM_FS, { "operation", "errno" }, "calls", .failed = true },
	{ "Failing processes", STREAM_FS, { "process", "errno" }, "calls", .failed = true },
	{ "Disks", STREAM_BLOCK, { "device", "operation" }, "bytes" },
	{ "Slowest disks", STREAM_BLOCK, { "device", "operation" }, "p99" },
	{ "Connections", STREAM_NW_CONN, { "command", "remote" }, "calls", .operation = "CONNECT" },
};

struct digest {
	struct summary answers[QUESTIONS];
	int first[STREAM_COUNT], end[STREAM_COUNT]; /* the questions of a stream */
	int fields[STREAM_COUNT];
	struct slow slow[TOP];
	uint64_t rows[STREAM_COUNT], all[STREAM_COUNT]; /* read, and in the session */
	uint64_t deadline_ns;
	uint64_t step[STREAM_COUNT], files[STREAM_COUNT]; /* one file in STEP is read */
	int operations[STREAM_COUNT];                     /* the column of the operation */
	int filename;
};

/* ---- reading ---- */

static void copy_name(char *to, size_t size, const struct row_field *f)
{
	size_t len = f->len < NAME_MAX_SHOWN ? f->len : NAME_MAX_SHOWN;

	snprintf(to, size, "%s%.*s", len < f->len ? "..." : "", (int)len, f->s + f->len - len);
}

/* Notes ROW if it is one of the slowest. */
static void note_slow(struct digest *d, const struct export_row *row, const struct measure *m)
{
	const struct row_field *operation = &row->fields[d->operations[STREAM_FS]];
	struct slow *last = &d->slow[TOP - 1];

	if (!m->has_time || m->time_ns <= last->ns)
		return;
	last->ns = m->time_ns;
	snprintf(last->operation, sizeof(last->operation), "%.*s", (int)operation->len,
		 operation->s);
	copy_name(last->file, sizeof(last->file), &row->fields[d->filename]);
	for (; last > d->slow && last->ns > last[-1].ns; last--) {
		struct slow other = last[-1];

		last[-1] = *last;
		*last = other;
	}
}

static bool concerns(const struct question *q, const struct digest *d, const struct export_row *row,
		     const struct measure *m)
{
	return (m->failed || !q->failed) &&
	       (!q->operation || row__is(row, d->operations[row->stream], q->operation));
}

static int digest_line(void *arg, const struct session_reader *session, enum stream stream,
		       char *line, size_t len)
{
	struct row_field fields[ROW_FIELDS_MAX];
	struct export_row row = { .stream = stream, .fields = fields };
	struct digest *d = arg;
	struct measure m;
	int err = 0;

	if (d->rows[stream]++ % ROWS_AT_ONCE == 0 && clock__mono_ns() > d->deadline_ns)
		return -ETIME;
	if (row_fields__first(line, len, fields, d->fields[stream]) != d->fields[stream] ||
	    measure__row(&row, &m))
		return -EBADMSG;
	for (int q = d->first[stream]; q < d->end[stream] && !err; q++)
		if (concerns(&questions[q], d, &row, &m))
			err = summary__row(&d->answers[q], &row, &m);
	if (stream == STREAM_FS)
		note_slow(d, &row, &m);
	return err;
}

static int plan_session(void *arg, struct session_reader *session)
{
	struct digest *d = arg;
	uint64_t now = clock__mono_ns(), most = 0;

	if (now < d->deadline_ns)
		most = (d->deadline_ns - now) / ROWS_IN_BUDGET;
	memset(d->all, 0, sizeof(d->all));
	for (size_t i = 0; i < session->n_files; i++)
		d->all[session->files[i].stream] += session->files[i].rows;
	for (int s = 0; s < STREAM_COUNT; s++)
		d->step[s] = most ? 1 + d->all[s] / most : 1;
	return 0;
}

static bool is_sampled(void *arg, const struct file_facts *file)
{
	struct digest *d = arg;

	return d->files[file->stream]++ % d->step[file->stream] == 0;
}

static int begin_digest(struct digest *d)
{
	int err = 0;

	for (int q = 0; q < QUESTIONS && !err; q++) {
		struct summary *s = &d->answers[q];
		const char *const *by = questions[q].by;
		enum stream stream = questions[q].stream;
		int *fields = &d->fields[stream], n;

		if (!d->end[stream])
			d->first[stream] = q;
		d->end[stream] = q + 1;
		s->stream = stream;
		for (; by[s->n_by]; s->n_by++)
			s->by[s->n_by] = dimension__find(by[s->n_by], strlen(by[s->n_by]));
		s->sort = summary_column__find(questions[q].sort, s->stream);
		err = summary__begin(s);
		n = err ? 0 : summary__fields(s);
		*fields = n > *fields ? n : *fields;
	}
	for (int s = 0; s < STREAM_COUNT; s++)
		d->operations[s] = row__column(s, "operation") ?: row__column(s, "event_type");
	d->filename = row__column(STREAM_FS, "filename");
	return err;
}

/* ---- printing ---- */

/* One name of a group, printable, without a line feed. */
static void print_digest_name(FILE *out, const char *s, size_t len)
{
	char name[NAME_MAX_SHOWN + 8], shown[SHOWN_MAX(sizeof(name))];
	const struct row_field f = { (char *)s, len };

	copy_name(name, sizeof(name), &f);
	shown__copy(shown, name, strlen(name));
	fputs(shown, out);
}

static void print_digest_group(FILE *out, const struct summary *s, const struct group *group)
{
	const struct summary_value *value = group->value;
	const char *nul = memchr(group->key, '\0', group->key_len);
	size_t first = nul ? (size_t)(nul - group->key) : group->key_len;
	char number[UNITS_SIZE];

	if (*value->label) {
		print_digest_name(out, value->label, strlen(value->label));
		fputc(' ', out);
	}
	print_digest_name(out, group->key, first);
	if (nul) {
		fputc(' ', out);
		print_digest_name(out, nul + 1, group->key_len - first - 1);
	}
	if (!strcmp(s->sort->name, "calls"))
		fprintf(out, " (%" PRIu64 ")", value->tally.calls);
	else if (!strcmp(s->sort->name, "bytes"))
		fprintf(out, " (%sB)", units__bytes(number, value->tally.amount));
	else if (!strcmp(s->sort->name, "p99_ns"))
		fprintf(out, " (p99 %s)",
			units__time(number, sketch__quantile(&value->tally.time, 0.99)));
	else
		fprintf(out, " (%s in %" PRIu64 " calls)",
			units__time(number, value->tally.time_ns), value->tally.calls);
}

static void print_answer(FILE *out, const char *head, const struct summary *s)
{
	struct group **sorted = summary__sorted(s);
	size_t n = 0;

	for (size_t i = 0; sorted && i < groups__count(s->groups) && n < TOP; i++) {
		const struct summary_value *value = sorted[i]->value;

		if (s->sort->value(&value->tally, &s->all) <= 0 ||
		    (sorted[i]->key_len == 1 && *sorted[i]->key == *DIMENSION_NONE))
			continue;
		if (n++)
			fputs(", ", out);
		else
			fprintf(out, "%-18s ", head);
		print_digest_group(out, s, sorted[i]);
	}
	if (n)
		fputc('\n', out);
	free(sorted);
}

static void print_slow(FILE *out, const struct digest *d)
{
	char number[UNITS_SIZE];

	for (int i = 0; i < TOP && d->slow[i].ns; i++) {
		fprintf(out, i ? ", %s " : "Slowest calls      %s ", d->slow[i].operation);
		if (*d->slow[i].file) {
			print_digest_name(out, d->slow[i].file, strlen(d->slow[i].file));
			fputc(' ', out);
		}
		fprintf(out, "(%s)", units__time(number, d->slow[i].ns));
	}
	if (d->slow[0].ns)
		fputc('\n', out);
}

static void print_digest(FILE *out, const struct digest *d)
{
	uint64_t read = 0, all = 0;

	for (int s = 0; s < STREAM_COUNT; s++) {
		read += d->rows[s];
		all += STREAMS >> s & 1 ? d->all[s] : 0;
	}
	if (!read)
		return;
	fputc('\n', out);
	if (read < all)
		fprintf(out, "From %.0f %% of the rows (iotrc summary reads all of them):\n",
			100.0 * (double)read / (double)all);
	for (int q = 0; q < QUESTIONS; q++)
		print_answer(out, questions[q].head, &d->answers[q]);
	print_slow(out, d);
}

void digest__print(FILE *out, const char *path, uint64_t budget_ns)
{
	struct digest *d = calloc(1, sizeof(*d));
	const char *const paths[] = { path, NULL };
	struct scan_config config = { .paths = paths,
				      .streams = STREAMS & ~(1 << STREAM_FS),
				      .session = plan_session,
				      .file = is_sampled,
				      .line = digest_line,
				      .arg = d };
	struct scan_result result;
	int err;

	if (!d)
		return;
	d->deadline_ns = clock__mono_ns() + budget_ns;
	err = begin_digest(d);
	if (!err)
		err = scan__run(&config, &result);
	/* The largest stream by far comes last: only it lacks what is not read in time. */
	config.streams = 1 << STREAM_FS;
	if (!err)
		err = scan__run(&config, &result);
	if (!err || err == -ETIME)
		print_digest(out, d);
	for (int q = 0; q < QUESTIONS; q++)
		summary__end(&d->answers[q]);
	free(d);
}
