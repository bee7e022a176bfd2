// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/watch_output.h"

#include <errno.h>
#include <inttypes.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/shown.h"
#include "commands/terminal_width.h"
#include "platform/macros.h"

#define PIECE 4096  /* bytes: PIPE_BUF, which a pipe takes whole if poll() reports it writable */
#define WAIT_MS 100 /* how often signals are checked while the reader of a pipe is slow */
#define NOTICE_NS NSEC_PER_SEC

static bool is_utf8(void)
{
	setlocale(LC_CTYPE, "");
	return !strcmp(nl_langinfo(CODESET), "UTF-8");
}

int watch_output__begin(struct watch_output *o, int fd)
{
	const char *term = getenv("TERM"), *no_colour = getenv("NO_COLOR"); /* no-color.org */

	o->fd = fd;
	o->terminal = o->shown = isatty(fd);
	o->style.utf8 = is_utf8();
	o->style.colours =
		o->terminal && !(no_colour && *no_colour) && term && strcmp(term, "dumb");
	o->style.width = o->terminal ? (int)terminal_width(fd) : 0;
	o->out = open_memstream(&o->text, &o->len);
	o->export.out = o->out;
	o->lines = malloc(WATCH_BATCH_LINES * sizeof(*o->lines));
	return o->out && o->lines ? 0 : -ENOMEM;
}

/* JSON is for programs, but may go to a terminal. */
static void print_row_json(struct watch_output *o, const struct export_row *row)
{
	struct export export = o->export;
	char *text = NULL, *shown;
	size_t len;

	if (!o->shown) {
		format_jsonl.row(&o->export, row);
		return;
	}
	export.out = open_memstream(&text, &len);
	if (!export.out)
		return;
	format_jsonl.row(&export, row);
	fclose(export.out);
	shown = text ? malloc(SHOWN_MAX(len)) : NULL;
	if (shown) {
		shown__copy(shown, text, len - 1); /* without its line feed */
		fprintf(o->out, "%s\n", shown);
	}
	free(shown);
	free(text);
}

void watch_output__row(struct watch_output *o, const struct export_row *row)
{
	struct watch_line *l = &o->lines[o->n_lines];

	if (o->closed)
		return;
	if (o->n_lines == WATCH_BATCH_LINES) {
		o->left_out++;
		return;
	}
	l->at = ftello(o->out);
	if (o->json)
		print_row_json(o, row);
	else
		line__print(o->out, &o->style, row);
	l->len = ftello(o->out) - l->at;
	l->mono_ns = row->mono_ns;
	o->n_lines++;
}

static int by_time(const void *a, const void *b)
{
	const struct watch_line *x = a, *y = b;

	if (x->mono_ns != y->mono_ns)
		return x->mono_ns < y->mono_ns ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

/* Whether the output is writable now; waits for it unless it is a terminal. */
static bool is_ready(struct watch_output *o)
{
	struct pollfd p = { .fd = o->fd, .events = POLLOUT };

	while (!o->closed) {
		int n = poll(&p, 1, o->terminal ? 0 : WAIT_MS);

		/* POLLERR: the reader of a pipe has gone. */
		if (n > 0 && p.revents & (POLLERR | POLLNVAL))
			o->closed = true;
		else if (n > 0)
			return true;
		if (o->terminal || (o->stop && *o->stop))
			return false;
	}
	return false;
}

/* Writes LEN bytes of TEXT. Returns false if the output took none of them, or its reader has
 * gone. */
static bool write_text(struct watch_output *o, const char *text, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n;

		/* The rest of a line that was begun is always written, to a terminal as well. */
		if (!done && !is_ready(o))
			return false;
		n = write(o->fd, text + done, MIN(len - done, PIECE));
		if (n < 0 && errno == EINTR && !(o->stop && *o->stop))
			continue;
		if (n < 0) {
			o->closed |= errno != EINTR && errno != EAGAIN;
			o->err = o->closed && errno != EPIPE ? -errno : 0;
			return false;
		}
		done += n;
	}
	return true;
}

/* Writes as many whole lines as fit into a piece. */
static size_t gather(const struct watch_output *o, size_t from, char *piece, size_t *ret_len)
{
	size_t n = 0, len = 0;

	while (from + n < o->n_lines && len + o->lines[from + n].len <= PIECE) {
		memcpy(piece + len, o->text + o->lines[from + n].at, o->lines[from + n].len);
		len += o->lines[from + n++].len;
	}
	*ret_len = len;
	return n;
}

static void put_lines(struct watch_output *o)
{
	char piece[PIECE];

	for (size_t i = 0, n, len; i < o->n_lines; i += n) {
		bool ok;

		n = gather(o, i, piece, &len);
		if (n) {
			ok = write_text(o, piece, len);
		} else { /* a line longer than a piece */
			n = 1;
			ok = write_text(o, o->text + o->lines[i].at, o->lines[i].len);
		}
		if (!ok) {
			o->left_out += o->closed ? 0 : o->n_lines - i;
			return;
		}
	}
}

/* Prints how many lines are missing at this place, except among JSON lines. */
static void put_notice(struct watch_output *o)
{
	uint64_t now = clock__mono_ns();
	char text[128];
	int len;

	if (!o->left_out || o->closed || now - o->notice_ns < NOTICE_NS)
		return;
	len = snprintf(text, sizeof(text), "%s%s %" PRIu64 " lines left out%s\n",
		       o->style.colours ? "\033[2m" : "", o->style.utf8 ? "…" : "...", o->left_out,
		       o->style.colours ? "\033[0m" : "");
	if (o->json || o->style.n_columns) {
		fwrite(text, len, 1, stderr);
	} else if (!write_text(o, text, len)) {
		return;
	}
	o->left_out = 0;
	o->notice_ns = now;
}

void watch_output__flush(struct watch_output *o, bool sorted)
{
	fflush(o->out);
	if (!sorted)
		qsort(o->lines, o->n_lines, sizeof(*o->lines), by_time);
	put_lines(o);
	put_notice(o);
	o->n_lines = 0;
	rewind(o->out);
	if (o->terminal)
		o->style.width = (int)terminal_width(o->fd);
}

void watch_output__left_out(struct watch_output *o, uint64_t n)
{
	o->left_out += n;
}

int watch_output__end(struct watch_output *o)
{
	o->notice_ns = 0;
	put_notice(o);
	fclose(o->out);
	free(o->text);
	free(o->lines);
	return o->err;
}
