// SPDX-License-Identifier: GPL-2.0-or-later
#include "watch/line.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

#include "base/shown.h"
#include "base/units.h"
#include "platform/macros.h"
#include "rows/names.h"

#define PATH_LEAST 4 /* minimum columns of a path on a narrow terminal */
#define NARROW 100   /* columns: below, times and names are shorter; flags and errors' texts go */
#define COMMAND_WIDTH 15
#define COMMAND_NARROW 9
#define MICROSECONDS 3 /* digits that a narrow line omits */
#define OPERATION_WIDTH 12
#define OPERATION_NARROW 9
#define DATE_BYTES 11   /* "YYYY-MM-DD " */
#define ERRNO_COUNT 134 /* include/uapi/asm-generic/errno.h ends with 133 */

enum colour { DIM, CYAN, RED };
static const char *const sequences[] = {
	[DIM] = "\033[2m", [CYAN] = "\033[36m", [RED] = "\033[31m"
};
#define RESET "\033[0m"

static bool is_narrow(const struct line_style *style)
{
	return style->width && style->width < NARROW;
}

/* ---- columns ---- */

static const struct row_field *field(const struct export_row *row, const char *name)
{
	static const struct row_field none = { .s = "", .len = 0 };
	int column = schema__column(row->stream, name, strlen(name));

	return column < 0 ? &none : &row->fields[column];
}

bool line__choose(struct line_style *style, const char *list, uint32_t streams,
		  const char **ret_bad)
{
	*ret_bad = list;
	for (size_t len; *list; list += len + (list[len] == ',')) {
		bool found = false;

		len = strcspn(list, ",");
		for (int s = 0; s < STREAM_COUNT; s++)
			found |= streams >> s & 1 && schema__column(s, list, len) >= 0;
		*ret_bad = list;
		if (!found || style->n_columns == LINE_COLUMNS_MAX)
			return false;
		style->columns[style->n_columns] = list;
		style->lens[style->n_columns++] = len;
	}
	return style->n_columns;
}

/* Text in rows has no control characters, but may contain others that a terminal must not get. */
static void print_text(FILE *out, const char *s, size_t len)
{
	char small[SHOWN_MAX(256)], *text = len <= 256 ? small : malloc(SHOWN_MAX(len));

	if (!text)
		return;
	fwrite(text, shown__copy(text, s, len) - text, 1, out);
	if (text != small)
		free(text);
}

static void print_field(FILE *out, const struct row_field *f)
{
	print_text(out, f->s, f->len);
}

static void print_columns(FILE *out, const struct line_style *style, const struct export_row *row)
{
	for (int i = 0; i < style->n_columns; i++) {
		int column = schema__column(row->stream, style->columns[i], style->lens[i]);

		if (i)
			fputc('\t', out);
		if (column < 0 || !row->fields[column].len)
			fputc('-', out);
		else
			print_field(out, &row->fields[column]);
	}
	fputc('\n', out);
}

/* ---- the usual line ---- */

static void begin_colour(FILE *out, const struct line_style *style, enum colour colour)
{
	if (style->colours)
		fputs(sequences[colour], out);
}

static void end_colour(FILE *out, const struct line_style *style)
{
	if (style->colours)
		fputs(RESET, out);
}

static void print_padded(FILE *out, const struct row_field *f, int width)
{
	print_field(out, f);
	fprintf(out, "%*s", f->len < (size_t)width ? width - (int)f->len : 0, "");
}

/* Terminal columns of LEN bytes of UTF-8, if each character takes one. */
static int columns_of(const char *s, size_t len)
{
	int n = 0;

	for (size_t i = 0; i < len; i++)
		n += (s[i] & 0xc0) != 0x80;
	return n;
}

/* The end of a path has more information: its beginning is cut if it is too long. */
static void print_path(FILE *out, const struct line_style *style, const struct row_field *path,
		       int available)
{
	const char *s = path->s, *end = path->s + path->len;
	int width = columns_of(s, path->len);

	if (!style->width || width <= MAX(available, PATH_LEAST)) {
		print_field(out, path);
		return;
	}
	for (width += style->utf8 ? 1 : 3; s < end && width > MAX(available, PATH_LEAST); width--)
		do
			s++;
		while (s < end && (*s & 0xc0) == 0x80);
	fputs(style->utf8 ? "…" : "...", out);
	print_text(out, s, end - s);
}

static void print_place(FILE *out, const struct export_row *row)
{
	bool block = row->stream == STREAM_BLOCK;
	const struct row_field *at = field(row, block ? "sector" : "offset"),
			       *size = field(row, "size");

	if (!at->len && (block || !size->len)) /* a flush has no place */
		return;
	fputc(' ', out);
	if (block)
		fputs("sector ", out);
	print_field(out, at);
	if (size->len) {
		fputc('+', out);
		print_field(out, size);
	}
}

/* Only flags that the operation was called with, not those of the open file. */
static void print_flags(FILE *out, const struct export_row *row)
{
	static const char *const words[] = { "open",      "setattr", "lock",        "mmap",
					     "fallocate", "madvise", "fadvise",     "mount",
					     "rename",    "unlink",  "process_exit" };
	const struct row_field *flags = field(row, "flags");

	for (size_t i = 0; i < ARRAY_SIZE(words) && flags->len; i++)
		if (row__is(row, row__column(row->stream, "operation"), words[i])) {
			fputc(' ', out);
			print_field(out, flags);
		}
}

/* Returns the text for Linux's error NAME; NULL if it is unknown. */
static const char *describe_error(const struct row_field *name)
{
	for (int error = 1; error < ERRNO_COUNT; error++) {
		const char *candidate = names__errno(error);

		if (candidate && strlen(candidate) == name->len &&
		    !memcmp(candidate, name->s, name->len))
			return strerror(error);
	}
	return NULL;
}

static void print_error(FILE *out, const struct line_style *style, const struct row_field *name)
{
	const char *text = is_narrow(style) ? NULL : describe_error(name);

	begin_colour(out, style, RED);
	print_field(out, name);
	if (text)
		fprintf(out, " (%s)", text);
	end_colour(out, style);
}

/* Gets the name of the error of ROW; its length is 0 if there was none. */
static struct row_field error_of(const struct export_row *row)
{
	static const char prefix[] = "error="; /* among the flags of a block request */
	const struct row_field *flags = field(row, "flags"), *result = field(row, "return_value");
	struct row_field error = *field(row, "errno");
	const char *name;

	if (row->stream == STREAM_BLOCK) {
		char *at = memmem(flags->s, flags->len, prefix, strlen(prefix));

		error.s = at ? at + strlen(prefix) : flags->s;
		error.len = at ? flags->s + flags->len - error.s : 0;
	} else if (!error.len && result->len > 1 && *result->s == '-') {
		name = names__errno(-atoi(result->s));
		if (name)
			error = (struct row_field){ .s = (char *)name, .len = strlen(name) };
	}
	return error;
}

static void print_result(FILE *out, const struct line_style *style, const struct export_row *row)
{
	const struct row_field *result = field(row, "return_value");
	struct row_field error = error_of(row);

	if (!result->len && !error.len)
		return;
	fputs(style->utf8 ? " → " : " -> ", out);
	if (error.len)
		print_error(out, style, &error);
	else
		print_field(out, result);
}

/* Returns the duration in ns; false if the row has none. */
static bool duration(const struct export_row *row, double *ret_ns)
{
	const struct row_field *ns = field(row, "duration_ns"), *ms = field(row, "latency_ms");

	if (!ns->len)
		ns = field(row, "latency_ns");
	*ret_ns = ns->len ? strtod(ns->s, NULL) : ms->len ? strtod(ms->s, NULL) * 1e6 : 0;
	return ns->len || ms->len;
}

static void print_duration(FILE *out, const struct line_style *style, const struct export_row *row)
{
	char text[UNITS_SIZE];
	double ns;

	if (!duration(row, &ns))
		return;
	begin_colour(out, style, DIM);
	fprintf(out, "  %s", units__time(text, ns));
	end_colour(out, style);
}

/* LOCAL:PORT, or the path of a unix socket. */
static void print_address(FILE *out, const struct export_row *row, const char *address,
			  const char *port)
{
	const struct row_field *a = field(row, address), *p = field(row, port);

	print_field(out, a);
	if (p->len) {
		fputc(':', out);
		print_field(out, p);
	}
}

static void print_ends(FILE *out, const struct line_style *style, const struct export_row *row)
{
	bool drop = row->stream == STREAM_NW_DROP;
	const char *local = drop ? "src_addr" : "local_addr",
		   *remote = drop ? "dst_addr" : "remote_addr";

	print_address(out, row, local, "sport");
	if (field(row, remote)->len || field(row, "dport")->len) {
		fputs(style->utf8 ? " ⇄ " : " <-> ", out);
		print_address(out, row, remote, "dport");
	}
}

/* Columns that are at the beginning or the end of each line. */
static bool is_shown_elsewhere(const char *name)
{
	static const char *const names[] = { "timestamp",   "pid",          "tid",
					     "command",     "operation",    "event_type",
					     "fault_type",  "return_value", "errno",
					     "duration_ns", "latency_ns",   "mono_ns",
					     "cpu_id" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

/* NAME=VALUE of the other columns, for streams without their own form. */
static void print_others(FILE *out, const struct line_style *style, const struct export_row *row)
{
	const struct stream_schema *schema = &schema_streams[row->stream];
	const char *blank = "";

	for (size_t i = 0; i < schema->n_columns; i++) {
		if (!row->fields[i].len || is_shown_elsewhere(schema->columns[i].name))
			continue;
		fprintf(out, "%s%s=", blank, schema->columns[i].name);
		print_field(out, &row->fields[i]);
		blank = " ";
	}
}

static const struct row_field *operation(const struct export_row *row)
{
	/* In this order, because nw_epoll has both of the first two. */
	static const char *const names[] = { "event_type", "operation", "fault_type" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (field(row, names[i])->len)
			return field(row, names[i]);
	return field(row, names[0]);
}

static void print_head(FILE *out, const struct line_style *style, const struct export_row *row)
{
	const struct row_field *time = field(row, "timestamp"), *pid = field(row, "pid");
	bool narrow = is_narrow(style);
	size_t date = time->len > DATE_BYTES ? DATE_BYTES : 0,
	       len = time->len - date - (narrow && date ? MICROSECONDS : 0);

	begin_colour(out, style, DIM);
	print_text(out, time->s + date, len);
	end_colour(out, style);
	fprintf(out, " %*s", pid->len < 7 ? 7 - (int)pid->len : 0, "");
	print_field(out, pid);
	fputc(' ', out);
	print_padded(out, field(row, "command"), narrow ? COMMAND_NARROW : COMMAND_WIDTH);
	fputc(' ', out);
	begin_colour(out, style, CYAN);
	print_padded(out, operation(row), narrow ? OPERATION_NARROW : OPERATION_WIDTH);
	end_colour(out, style);
	fputc(' ', out);
}

static void print_tail(FILE *out, const struct line_style *style, const struct export_row *row)
{
	if (row->stream == STREAM_FS || row->stream == STREAM_BLOCK)
		print_place(out, row);
	if (row->stream == STREAM_FS && !is_narrow(style))
		print_flags(out, row);
	print_result(out, style, row);
	print_duration(out, style, row);
}

/* Terminal columns that PART takes, without colours. */
static int width_of(void (*part)(FILE *out, const struct line_style *style,
				 const struct export_row *row),
		    const struct line_style *style, const struct export_row *row)
{
	struct line_style plain = *style;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int width = 0;

	if (!out)
		return 0;
	plain.colours = false;
	part(out, &plain, row);
	if (!fclose(out))
		width = columns_of(text, len);
	free(text);
	return width;
}

static void print_file(FILE *out, const struct line_style *style, const struct export_row *row)
{
	bool exec = row__is(row, row__column(STREAM_FS, "operation"), "process_exec");
	int available = 0;

	if (style->width)
		available = style->width - width_of(print_head, style, row) -
			    width_of(print_tail, style, row);
	print_path(out, style, field(row, exec ? "cmdline" : "filename"), available);
}

/* ENDS  sent N received N resent N */
static void print_flow(FILE *out, const struct line_style *style, const struct export_row *row)
{
	static const struct {
		const char *word, *column;
	} sums[] = { { "sent", "bytes_sent" },
		     { "received", "bytes_received" },
		     { "resent", "retransmits" } };

	print_ends(out, style, row);
	for (size_t i = 0; i < ARRAY_SIZE(sums); i++) {
		fprintf(out, " %s ", sums[i].word);
		print_field(out, field(row, sums[i].column));
	}
}

static void print_device(FILE *out, const struct line_style *style, const struct export_row *row)
{
	print_field(out, field(row, "device"));
}

void line__print(FILE *out, const struct line_style *style, const struct export_row *row)
{
	static void (*const subjects[STREAM_COUNT])(FILE * out, const struct line_style *style,
						    const struct export_row *row) = {
		[STREAM_FS] = print_file,      [STREAM_BLOCK] = print_device,
		[STREAM_NW_CONN] = print_ends, [STREAM_NW_DROP] = print_ends,
		[STREAM_NW_FLOW] = print_flow,
	};

	if (style->n_columns) {
		print_columns(out, style, row);
		return;
	}
	print_head(out, style, row);
	(subjects[row->stream] ?: print_others)(out, style, row);
	print_tail(out, style, row);
	fputc('\n', out);
}
