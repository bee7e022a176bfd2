// SPDX-License-Identifier: GPL-2.0-or-later
/* arrow: one stream in the IPC file format of Apache Arrow (arrow.apache.org/docs/format/Columnar),
 * version 5: a schema, batches of rows whose buffers are compressed with zstd, and a footer that
 * lists the batches. The numbers below are those of its Schema.fbs, Message.fbs and File.fbs. */
#include "export/format.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "dataset/field.h"
#include "export/flat.h"

#define BATCH 122880                /* rows, as in Parquet */
#define TEXT_MAX (64 * 1024 * 1024) /* bytes of text after which a batch ends early */
#define ORIGINS 3                   /* machine, session, boot */
#define COLUMNS_MAX (ORIGINS + ROW_FIELDS_MAX)
#define BUFFERS_MAX 3        /* of a column */
#define META_MAX (64 * 1024) /* a schema, or the description of a batch's buffers */
#define LEVEL 1              /* of zstd */
#define MAGIC "ARROW1"
#define CONTINUATION UINT32_C(0xffffffff)
#define US_PER_SECOND 1000000

enum { VERSION_5 = 4 };
enum { MESSAGE_VERSION, MESSAGE_TYPE, MESSAGE_HEADER, MESSAGE_BODY };
enum { HEADER_SCHEMA = 1, HEADER_BATCH = 3 };
enum { SCHEMA_ENDIANNESS, SCHEMA_FIELDS };
enum { FIELD_NAME, FIELD_NULLABLE, FIELD_KIND, FIELD_TYPE, FIELD_CHILDREN = 5 };
enum { KIND_INT = 2, KIND_FLOAT = 3, KIND_TEXT = 5, KIND_TIMESTAMP = 10 };
enum { INT_BITS, INT_SIGNED };
enum { FLOAT_PRECISION, PRECISION_DOUBLE = 2 };
enum { TIMESTAMP_UNIT, TIMESTAMP_ZONE, UNIT_MICROSECOND = 2, UNIT_NANOSECOND = 3 };
enum { BATCH_LENGTH, BATCH_NODES, BATCH_BUFFERS, BATCH_COMPRESSION };
enum { COMPRESSION_CODEC, CODEC_ZSTD = 1 };
enum { FOOTER_VERSION, FOOTER_SCHEMA, FOOTER_DICTIONARIES, FOOTER_BATCHES };

enum arrow_kind { TEXT, UINT, INT, ADDRESS, FLOAT, WALL_NS, WALL_US };

struct column_data {
	const char *name;
	enum arrow_kind kind;
	uint8_t field; /* of the row; of an origin, its number */
	bool origin;
	uint64_t nulls;
	uint8_t valid[BATCH / 8];
	union {
		uint64_t numbers[BATCH];
		int32_t ends[BATCH + 1];
	};
	char *text;
	size_t text_len, text_size;
};

struct arrow_node {
	int64_t rows, nulls;
};
struct buffer {
	int64_t offset, len;
};
struct arrow_block {
	int64_t offset;
	int32_t meta_len, unused;
	int64_t body_len;
};

struct arrow {
	struct column_data *columns;
	size_t n_columns;
	uint64_t rows, written; /* in the batch; bytes of the file */
	size_t text_len;        /* of all columns */
	uint8_t *body;          /* of a batch, compressed */
	size_t body_len, body_size;
	ZSTD_CCtx *zstd;
	struct arrow_block *blocks;
	size_t n_blocks;
	uint8_t meta[META_MAX];
};

/* ---- columns ---- */

static enum arrow_kind kind_of(enum stream stream, size_t i)
{
	static const enum arrow_kind kinds[COL_TYPES] = {
		[COL_WALL] = WALL_US,    [COL_MONO] = UINT, [COL_UINT] = UINT,
		[COL_INODE] = UINT,      [COL_INT] = INT,   [COL_FLOAT] = FLOAT,
		[COL_ADDRESS] = ADDRESS,
	};

	return i ? kinds[schema_streams[stream].columns[i].type] : WALL_NS;
}

static void add_columns(struct arrow *a, const struct export *e, enum stream stream)
{
	static const char *const origins[ORIGINS] = { "machine", "session", "boot" };
	const struct columns *chosen = &e->columns[stream];

	for (uint8_t i = 0; i < ORIGINS; i++)
		a->columns[a->n_columns++] =
			(struct column_data){ .name = origins[i], .origin = true, .field = i };
	for (size_t i = 0; i < chosen->n; i++)
		a->columns[a->n_columns++] = (struct column_data){
			.name = schema_streams[stream].columns[chosen->at[i]].name,
			.kind = kind_of(stream, chosen->at[i]),
			.field = chosen->at[i],
		};
}

static int append_text(struct arrow *a, struct column_data *c, const char *s, size_t len)
{
	if (len > c->text_size - c->text_len) {
		size_t size = 2 * (c->text_size + len);
		char *text = realloc(c->text, size);

		if (!text)
			return -ENOMEM;
		c->text = text;
		c->text_size = size;
	}
	if (len)
		memcpy(c->text + c->text_len, s, len);
	c->text_len += len;
	a->text_len += len;
	c->ends[a->rows + 1] = (int32_t)c->text_len;
	return 0;
}

static bool parse_address(const struct row_field *f, uint64_t *ret)
{
	char text[32], *end;

	if (f->len < 3 || f->len >= sizeof(text) || memcmp(f->s, "0x", 2))
		return false;
	memcpy(text, f->s, f->len);
	text[f->len] = '\0';
	*ret = strtoull(text + 2, &end, 16);
	return !*end;
}

static bool parse_float(const struct row_field *f, uint64_t *ret)
{
	char text[64], *end;
	double v;

	if (f->len >= sizeof(text))
		return false;
	memcpy(text, f->s, f->len);
	text[f->len] = '\0';
	v = strtod(text, &end);
	memcpy(ret, &v, sizeof(v));
	return !*end;
}

static bool parse_wall(const struct export_row *row, const struct row_field *f, uint64_t *ret)
{
	int64_t us;

	if (!field__wall(f->s, f->len, &us))
		return false;
	*ret = (uint64_t)(us - (int64_t)row->utc_offset_s * US_PER_SECOND);
	return true;
}

/* Parses field I of ROW as a number; returns false if it is not one. */
static bool parse(const struct export_row *row, enum arrow_kind kind, int i, uint64_t *ret)
{
	const struct row_field *f = &row->fields[i];
	int64_t v;

	switch (kind) {
	case WALL_NS:
		*ret = row->wall_ns;
		return true;
	case WALL_US:
		return parse_wall(row, f, ret);
	case ADDRESS:
		return parse_address(f, ret);
	case FLOAT:
		return parse_float(f, ret);
	case INT:
		return row__int(row, i, &v) && (*ret = (uint64_t)v, true);
	default:
		return row__uint(row, i, ret);
	}
}

static int append_origin(struct arrow *a, struct column_data *c, const struct export_row *row)
{
	const char *const values[ORIGINS] = { row->machine, row->session, row->boot };
	const char *s = values[c->field];

	if (s)
		c->valid[a->rows / 8] |= 1 << a->rows % 8;
	else
		c->nulls++;
	return append_text(a, c, s, s ? strlen(s) : 0);
}

static int append_row(struct export *e, struct column_data *c, const struct export_row *row)
{
	struct arrow *a = e->own;
	const struct row_field *f;

	if (c->origin)
		return append_origin(a, c, row);
	f = &row->fields[c->field];
	if (f->len || c->kind == WALL_NS)
		c->valid[a->rows / 8] |= 1 << a->rows % 8;
	else
		c->nulls++;
	if (c->kind == TEXT)
		return append_text(a, c, f->s, f->len);
	c->numbers[a->rows] = 0;
	if (f->len && !parse(row, c->kind, c->field, &c->numbers[a->rows])) {
		e->why = "a field is not of its column's type: see iotrc verify";
		return -EBADMSG;
	}
	return 0;
}

/* ---- the file ---- */

static void write_bytes(struct export *e, const void *data, size_t len)
{
	struct arrow *a = e->own;

	a->written += len;
	if (len)
		fwrite(data, len, 1, e->out);
}

/* Writes a message whose header, of TYPE, is at HEADER in F; BODY bytes follow. *RET_LEN: its
 * length. */
static int write_message(struct export *e, struct flat *f, int type, size_t header, size_t body,
			 size_t *ret_len)
{
	const uint8_t *message;
	uint32_t prefix[2] = { CONTINUATION };

	flat__begin(f);
	flat__number(f, MESSAGE_BODY, body, 8);
	flat__reference(f, MESSAGE_HEADER, header);
	flat__number(f, MESSAGE_VERSION, VERSION_5, 2);
	flat__number(f, MESSAGE_TYPE, type, 1);
	message = flat__finish(f, flat__end(f));
	if (f->full)
		return -E2BIG;
	prefix[1] = (uint32_t)f->used;
	write_bytes(e, prefix, sizeof(prefix));
	write_bytes(e, message, f->used);
	*ret_len = sizeof(prefix) + f->used;
	return 0;
}

static size_t put_type(struct flat *f, enum arrow_kind kind)
{
	size_t zone = kind >= WALL_NS ? flat__text(f, "UTC") : 0;

	flat__begin(f);
	if (kind >= WALL_NS) {
		flat__reference(f, TIMESTAMP_ZONE, zone);
		flat__number(f, TIMESTAMP_UNIT,
			     kind == WALL_NS ? UNIT_NANOSECOND : UNIT_MICROSECOND, 2);
	} else if (kind == FLOAT) {
		flat__number(f, FLOAT_PRECISION, PRECISION_DOUBLE, 2);
	} else if (kind != TEXT) {
		flat__number(f, INT_BITS, 64, 4);
		flat__number(f, INT_SIGNED, kind == INT, 1);
	}
	return flat__end(f);
}

static size_t put_arrow_field(struct flat *f, const struct column_data *c)
{
	size_t name = flat__text(f, c->name), type = put_type(f, c->kind),
	       children = flat__references(f, NULL, 0);

	flat__begin(f);
	flat__reference(f, FIELD_NAME, name);
	flat__reference(f, FIELD_TYPE, type);
	flat__reference(f, FIELD_CHILDREN, children);
	flat__number(f, FIELD_NULLABLE, 1, 1);
	flat__number(f, FIELD_KIND,
		     c->kind >= WALL_NS ? KIND_TIMESTAMP :
		     c->kind == FLOAT   ? KIND_FLOAT :
		     c->kind == TEXT    ? KIND_TEXT :
					  KIND_INT,
		     1);
	return flat__end(f);
}

static size_t put_schema(struct flat *f, const struct arrow *a)
{
	size_t fields[COLUMNS_MAX], all;

	for (size_t i = 0; i < a->n_columns; i++)
		fields[i] = put_arrow_field(f, &a->columns[i]);
	all = flat__references(f, fields, a->n_columns);
	flat__begin(f);
	flat__reference(f, SCHEMA_FIELDS, all);
	flat__number(f, SCHEMA_ENDIANNESS, 0, 2);
	return flat__end(f);
}

/* ---- batches ---- */

/* Appends DATA to the body: its length, then its bytes, compressed. */
static int add_buffer(struct arrow *a, const void *data, size_t len, struct buffer *ret)
{
	int64_t raw = (int64_t)len;
	size_t need = sizeof(raw) + ZSTD_compressBound(len) + 8, packed = 0;

	*ret = (struct buffer){ .offset = (int64_t)a->body_len };
	if (!len)
		return 0;
	if (need > a->body_size - a->body_len) {
		uint8_t *body = realloc(a->body, 2 * a->body_size + need);

		if (!body)
			return -ENOMEM;
		a->body = body;
		a->body_size = 2 * a->body_size + need;
	}
	memcpy(a->body + a->body_len, &raw, sizeof(raw));
	packed = ZSTD_compressCCtx(a->zstd, a->body + a->body_len + sizeof(raw),
				   a->body_size - a->body_len - sizeof(raw), data, len, LEVEL);
	if (ZSTD_isError(packed))
		return -ENOMEM;
	ret->len = (int64_t)(sizeof(raw) + packed);
	a->body_len += ret->len;
	memset(a->body + a->body_len, 0, -a->body_len % 8);
	a->body_len += -a->body_len % 8;
	return 0;
}

static int add_column(struct arrow *a, const struct column_data *c, struct buffer *buffers,
		      size_t *n)
{
	/* Without nulls no bitmap is needed. */
	int err = add_buffer(a, c->valid, c->nulls ? (a->rows + 7) / 8 : 0, &buffers[(*n)++]);

	if (!err && c->kind == TEXT)
		err = add_buffer(a, c->ends, (a->rows + 1) * sizeof(*c->ends), &buffers[(*n)++]);
	if (!err)
		err = c->kind == TEXT ? add_buffer(a, c->text, c->text_len, &buffers[(*n)++]) :
					add_buffer(a, c->numbers, a->rows * sizeof(*c->numbers),
						   &buffers[(*n)++]);
	return err;
}

static size_t put_batch(struct flat *f, const struct arrow *a, const struct buffer *buffers,
			size_t n_buffers)
{
	struct arrow_node nodes[COLUMNS_MAX];
	size_t node_place, buffer_place, compression;

	for (size_t i = 0; i < a->n_columns; i++)
		nodes[i] = (struct arrow_node){ (int64_t)a->rows, (int64_t)a->columns[i].nulls };
	node_place = flat__structs(f, nodes, a->n_columns, sizeof(*nodes));
	buffer_place = flat__structs(f, buffers, n_buffers, sizeof(*buffers));
	flat__begin(f);
	flat__number(f, COMPRESSION_CODEC, CODEC_ZSTD, 1);
	compression = flat__end(f);
	flat__begin(f);
	flat__number(f, BATCH_LENGTH, a->rows, 8);
	flat__reference(f, BATCH_NODES, node_place);
	flat__reference(f, BATCH_BUFFERS, buffer_place);
	flat__reference(f, BATCH_COMPRESSION, compression);
	return flat__end(f);
}

static void clear(struct arrow *a)
{
	for (size_t i = 0; i < a->n_columns; i++) {
		struct column_data *c = &a->columns[i];

		memset(c->valid, 0, sizeof(c->valid));
		c->nulls = c->text_len = 0;
	}
	a->rows = a->text_len = a->body_len = 0;
}

static int write_batch(struct export *e)
{
	struct arrow *a = e->own;
	struct buffer buffers[COLUMNS_MAX * BUFFERS_MAX];
	struct flat f = { .at = a->meta, .size = sizeof(a->meta) };
	struct arrow_block *blocks = reallocarray(a->blocks, a->n_blocks + 1, sizeof(*blocks)),
			   *block;
	size_t n = 0, meta_len;
	int err = 0;

	if (!blocks)
		return -ENOMEM;
	a->blocks = blocks;
	block = &blocks[a->n_blocks++];
	for (size_t i = 0; !err && i < a->n_columns; i++)
		err = add_column(a, &a->columns[i], buffers, &n);
	if (err)
		return err;
	*block = (struct arrow_block){ .offset = (int64_t)a->written,
				       .body_len = (int64_t)a->body_len };
	err = write_message(e, &f, HEADER_BATCH, put_batch(&f, a, buffers, n), a->body_len,
			    &meta_len);
	if (err)
		return err;
	block->meta_len = (int32_t)meta_len;
	write_bytes(e, a->body, a->body_len);
	clear(a);
	return 0;
}

/* ---- the format ---- */

static int arrow_begin(struct export *e, uint32_t streams)
{
	struct arrow *a = calloc(1, sizeof(*a));
	struct flat f;
	size_t len;

	e->own = a;
	if (!a)
		return -ENOMEM;
	a->columns = calloc(COLUMNS_MAX, sizeof(*a->columns));
	a->zstd = ZSTD_createCCtx();
	if (!a->columns || !a->zstd)
		return -ENOMEM;
	add_columns(a, e, __builtin_ctz(streams));
	f = (struct flat){ .at = a->meta, .size = sizeof(a->meta) };
	write_bytes(e, MAGIC "\0", 8);
	return write_message(e, &f, HEADER_SCHEMA, put_schema(&f, a), 0, &len);
}

static int arrow_row(struct export *e, const struct export_row *row)
{
	struct arrow *a = e->own;

	for (size_t i = 0; i < a->n_columns; i++) {
		int err = append_row(e, &a->columns[i], row);

		if (err)
			return err;
	}
	a->rows++;
	e->rows++;
	return a->rows == BATCH || a->text_len >= TEXT_MAX ? write_batch(e) : 0;
}

/* Writes the list of the batches, after the end of the stream of messages. */
static int write_footer(struct export *e, uint8_t *memory, size_t size)
{
	static const uint32_t end[2] = { CONTINUATION, 0 };
	struct arrow *a = e->own;
	struct flat f = { .at = memory, .size = size };
	size_t schema = put_schema(&f, a), none = flat__structs(&f, NULL, 0, sizeof(*a->blocks)),
	       blocks = flat__structs(&f, a->blocks, a->n_blocks, sizeof(*a->blocks));
	const uint8_t *footer;
	uint32_t len;

	flat__begin(&f);
	flat__reference(&f, FOOTER_SCHEMA, schema);
	flat__reference(&f, FOOTER_DICTIONARIES, none);
	flat__reference(&f, FOOTER_BATCHES, blocks);
	flat__number(&f, FOOTER_VERSION, VERSION_5, 2);
	footer = flat__finish(&f, flat__end(&f));
	if (f.full)
		return -E2BIG;
	len = (uint32_t)f.used;
	write_bytes(e, end, sizeof(end));
	write_bytes(e, footer, f.used);
	write_bytes(e, &len, sizeof(len));
	write_bytes(e, MAGIC, strlen(MAGIC));
	return 0;
}

static int arrow_end(struct export *e)
{
	struct arrow *a = e->own;
	int err = a->rows ? write_batch(e) : 0;
	size_t size = META_MAX + a->n_blocks * sizeof(*a->blocks);
	uint8_t *memory = err ? NULL : malloc(size);

	if (!err)
		err = memory ? write_footer(e, memory, size) : -ENOMEM;
	free(memory);
	return err;
}

static void arrow_free(struct export *e)
{
	struct arrow *a = e->own;

	for (size_t i = 0; a && i < a->n_columns; i++)
		free(a->columns[i].text);
	if (!a)
		return;
	free(a->columns);
	free(a->body);
	free(a->blocks);
	ZSTD_freeCCtx(a->zstd);
}

const struct format format_arrow = {
	.name = "arrow",
	.streams = (1u << STREAM_COUNT) - 1,
	.one_stream = true,
	.begin = arrow_begin,
	.row = arrow_row,
	.end = arrow_end,
	.free = arrow_free,
};
