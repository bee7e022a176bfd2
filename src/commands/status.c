// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/status.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/output.h"
#include "base/shown.h"
#include "base/units.h"
#include "commands/terminal_width.h"
#include "platform/macros.h"
#include "schema/schema.h"

#define NAME_WIDTH 19 /* filesystem_snapshot */

#define ERASE_LINE "\r\033[K"

static struct status_stream total(const struct status_snapshot *s)
{
	struct status_stream sum = { .enabled = true };

	for (int i = 0; i < STREAM_COUNT; i++) {
		const struct status_stream *stream = &s->streams[i];

		sum.rows.seen += stream->rows.seen;
		sum.rows.written += stream->rows.written;
		sum.rows.filtered += stream->rows.filtered;
		for (int k = 0; k < LOST_CAUSES; k++)
			sum.rows.lost[k] += stream->rows.lost[k];
		sum.bytes += stream->bytes;
	}
	return sum;
}

static double rate(const struct status_stream *now, const struct status_stream *before,
		   double seconds)
{
	double rows = (double)(now->rows.seen - now->rows.filtered) -
		      (double)(before->rows.seen - before->rows.filtered);

	return rows > 0 && seconds > 0 ? rows / seconds : 0;
}

/* Appends ITEM to the line unless it would exceed WIDTH. */
static bool append_item(char *buf, size_t width, const char *item)
{
	if (strlen(buf) + strlen(item) > width)
		return false;
	/* NOLINTNEXTLINE(*.strcpy): WIDTH was checked */
	strcat(buf, item);
	return true;
}

size_t status__line(char buf[STATUS_LINE_MAX], size_t width, const struct status_snapshot *now,
		    const struct status_snapshot *before)
{
	struct status_stream sum = total(now);
	double seconds = (double)(now->elapsed_ns - before->elapsed_ns) / NSEC_PER_SEC;
	uint64_t s = now->elapsed_ns / NSEC_PER_SEC;
	char ends[5][64], item[48], n[16];
	size_t kept = 0;
	bool fits;

	if (width >= STATUS_LINE_MAX)
		width = STATUS_LINE_MAX - 1;
	snprintf(ends[0], sizeof(*ends), "  lost %s", units__count(n, row_counts__lost(&sum.rows)));
	snprintf(ends[1], sizeof(*ends), "  written %s", units__count(n, sum.rows.written));
	snprintf(ends[2], sizeof(*ends), "  on disk %sB", units__bytes(n, sum.bytes));
	snprintf(ends[3], sizeof(*ends), "%s%s", *now->note ? "  " : "", now->note);
	snprintf(ends[4], sizeof(*ends), "%s%s", *now->upload ? "  " : "", now->upload);
	for (int i = 0; i < 5; i++)
		kept += strlen(ends[i]);

	*buf = 0;
	snprintf(item, sizeof(item), "%llu:%02d:%02d", (unsigned long long)s / 3600,
		 (int)(s / 60 % 60), (int)(s % 60));
	fits = append_item(buf, width, item);
	for (int i = 0; fits && i < STREAM_CAPTURED; i++) {
		if (!now->streams[i].enabled)
			continue;
		snprintf(item, sizeof(item), "  %s %s/s", schema_streams[i].key,
			 units__count(n, rate(&now->streams[i], &before->streams[i], seconds)));
		if (kept > width || !append_item(buf, width - kept, item))
			break;
	}
	for (int i = 0; fits && i < 5; i++)
		fits = append_item(buf, width, ends[i]);
	return strlen(buf);
}

static void print_status_row(FILE *out, const char *name, const struct status_stream *s)
{
	const struct row_counts *n = &s->rows;

	fprintf(out, "%-*s %10llu %10llu %10llu %9llu %6llu %6llu %6llu %11llu\n", NAME_WIDTH, name,
		(unsigned long long)n->seen, (unsigned long long)n->written,
		(unsigned long long)n->filtered, (unsigned long long)n->lost[LOST_RING],
		(unsigned long long)n->lost[LOST_QUEUE], (unsigned long long)n->lost[LOST_DISK],
		(unsigned long long)n->lost[LOST_SHED], (unsigned long long)s->bytes);
}

void status__table(FILE *out, const struct status_snapshot *s)
{
	struct status_stream sum = total(s);

	fprintf(out, "%-*s %10s %10s %10s %9s %6s %6s %6s %11s\n", NAME_WIDTH, "stream", "seen",
		"written", "filtered", "lost:ring", ":queue", ":disk", ":shed", "bytes");
	for (int i = 0; i < STREAM_COUNT; i++)
		if (s->streams[i].enabled)
			print_status_row(out, schema_streams[i].key, &s->streams[i]);
	print_status_row(out, "total", &sum);
}

static bool is_shown_as_it_is(const char *text)
{
	char *shown = malloc(SHOWN_MAX(strlen(text)));
	bool is;

	if (!shown)
		return false;
	shown__copy(shown, text, strlen(text));
	is = !strcmp(shown, text);
	free(shown);
	return is;
}

/* Quotes a path for the shell; bytes that a terminal would interpret are written as bash and zsh
 * read them. */
static void print_quoted(FILE *out, const char *text)
{
	bool plain = is_shown_as_it_is(text);

	fputs(plain ? "'" : "$'", out);
	for (; *text; text++)
		if (plain && *text == '\'')
			fputs("'\\''", out);
		else if (!plain && (*text < ' ' || *text > '~' || *text == '\'' || *text == '\\'))
			fprintf(out, "\\x%02x", (unsigned char)*text);
		else
			fputc(*text, out);
	fputc('\'', out);
}

void status__summary(FILE *out, const struct status_snapshot *s, const char *directory)
{
	struct status_stream sum = total(s);

	fputc('\n', out);
	shown__line(out, "Recorded %.1f s in %s", (double)s->elapsed_ns / NSEC_PER_SEC, directory);
	fputc('\n', out);
	status__table(out, s);
	if (row_counts__lost(&sum.rows))
		fprintf(out, "\n%llu rows were lost: the lost stream says when and why.\n",
			(unsigned long long)row_counts__lost(&sum.rows));
}

void status__hint(FILE *out, const char *directory)
{
	fputs("\nMore: iotrc summary ", out);
	print_quoted(out, directory);
	fputs("\nLoad it in pandas, with python/iotrc.py (package python3-iotrc):\n"
	      "  python3 -c 'import iotrc, sys; print(iotrc.load(sys.argv[1], \"fs\"))' ",
	      out);
	print_quoted(out, directory);
	fputc('\n', out);
}

void status__begin(struct status *status, FILE *out, int fd, bool quiet)
{
	*status = (struct status){ .out = out, .fd = fd, .quiet = quiet, .terminal = isatty(fd) };
}

void status__tick(struct status *status, const struct status_snapshot *now)
{
	/* A tick that comes a little early counts; the next one would be almost a period late. */
	uint64_t period = (status->terminal ? 1 : 60) * NSEC_PER_SEC;
	uint64_t due = status->before.elapsed_ns + period - NSEC_PER_SEC / 10;
	char line[STATUS_LINE_MAX];

	if (status->quiet || now->elapsed_ns < due || !output__idle(OUTPUT_STDERR))
		return;
	if (status->terminal) {
		/* The last column stays empty: some terminals wrap as soon as it is written. */
		status__line(line, terminal_width(status->fd) - 1, now, &status->before);
		fprintf(status->out, ERASE_LINE "%s", line);
		status->shown = true;
	} else {
		status__line(line, STATUS_LINE_MAX, now, &status->before);
		fprintf(status->out, "%s\n", line);
	}
	fflush(status->out);
	status->before = *now;
}

void status__clear(struct status *status)
{
	if (!status->shown)
		return;
	fputs(ERASE_LINE, status->out);
	fflush(status->out);
	status->shown = false;
}
