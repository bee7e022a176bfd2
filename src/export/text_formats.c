// SPDX-License-Identifier: GPL-2.0-or-later
/* Rows unchanged: CSV of one stream, or JSON lines. */
#include "export/format.h"

#include <string.h>

static int begin_csv(struct export *e, uint32_t streams)
{
	int stream = __builtin_ctz(streams);
	const struct columns *c = &e->columns[stream];

	for (size_t i = 0; i < c->n; i++)
		fprintf(e->out, "%s%c", schema_streams[stream].columns[c->at[i]].name,
			i + 1 < c->n ? ',' : '\n');
	return 0;
}

static void print_csv_field(FILE *out, const struct row_field *f)
{
	bool quoted = memchr(f->s, ',', f->len) || memchr(f->s, '"', f->len);

	if (!quoted) {
		fwrite(f->s, f->len, 1, out);
		return;
	}
	fputc('"', out);
	for (size_t i = 0; i < f->len; i++) {
		if (f->s[i] == '"')
			fputc('"', out);
		fputc(f->s[i], out);
	}
	fputc('"', out);
}

static int csv_row(struct export *e, const struct export_row *row)
{
	const struct columns *c = &e->columns[row->stream];

	for (size_t i = 0; i < c->n; i++) {
		print_csv_field(e->out, &row->fields[c->at[i]]);
		fputc(i + 1 < c->n ? ',' : '\n', e->out);
	}
	e->rows++;
	return 0;
}

/* Rows contain neither control characters nor invalid UTF-8. */
static void print_json_text(FILE *out, const char *s, size_t len)
{
	fputc('"', out);
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '"' || s[i] == '\\')
			fputc('\\', out);
		fputc(s[i], out);
	}
	fputc('"', out);
}

static int jsonl_row(struct export *e, const struct export_row *row)
{
	const struct stream_schema *schema = &schema_streams[row->stream];

	fprintf(e->out, "{\"machine\":\"%s\",\"stream\":\"%s\"", row->machine, schema->key);
	for (size_t i = 0; i < e->columns[row->stream].n; i++) {
		int at = e->columns[row->stream].at[i];
		const struct column *c = &schema->columns[at];
		const struct row_field *f = &row->fields[at];

		if (!f->len)
			continue;
		fprintf(e->out, ",\"%s\":", c->name);
		if (schema__is_number(c->type) || c->type == COL_MONO)
			fwrite(f->s, f->len, 1, e->out);
		else
			print_json_text(e->out, f->s, f->len);
	}
	fputs("}\n", e->out);
	e->rows++;
	return 0;
}

const struct format format_csv = {
	.name = "csv",
	.streams = (1u << STREAM_COUNT) - 1,
	.one_stream = true,
	.begin = begin_csv,
	.row = csv_row,
};

const struct format format_jsonl = {
	.name = "jsonl",
	.streams = (1u << STREAM_COUNT) - 1,
	.row = jsonl_row,
};
