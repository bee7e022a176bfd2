// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataset/verify_file.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "base/csv.h"
#include "dataset/field.h"
#include "dataset/frame.h"

#define IN_SIZE (128 * 1024)
/* Two paths, an argv and the rest of a row stay far below it, all bytes escaped. */
#define ROW_MAX (1024 * 1024)
/* What the zstd tool and most libraries take without being asked: 128 MiB. */
#define WINDOW_LOG_MAX 27
#define COLUMNS_MAX 32
#define TOLERANCE_NS 1000000

const char *const lost_causes[LOST_CAUSES] = {
	[LOST_RING] = "ring",
	[LOST_QUEUE] = "queue",
	[LOST_DISK] = "disk",
	[LOST_SHED] = "shed",
};

struct field {
	char *s;
	size_t len;
};

struct reader {
	struct verify_session *session;
	struct faults *faults;
	const struct file_facts *stated;
	const struct stream_schema *schema;
	uint64_t compressed, raw, rows, first_ns, last_ns;
	bool header_seen, header_sound;
	bool frame_ended;
	bool stopped; /* the rest of the file says nothing */
	size_t fill;  /* bytes in buf: the row that isn't whole yet */
	char buf[ROW_MAX];
};

const char *faults__show(char buf[SHOWN_SIZE], const char *s, size_t len)
{
	size_t shown = len < 40 ? len : 40;
	char *end = csv__escape(buf, s, shown);

	strcpy(end, len > shown ? "..." : "");
	return buf;
}

void faults__add(struct faults *f, const char *format, ...)
{
	va_list args;

	if (f->count++ >= FAULTS_SHOWN)
		return;
	fprintf(f->out, "%s/%s: ", f->dir, f->path);
	va_start(args, format);
	vfprintf(f->out, format, args);
	va_end(args);
	fputc('\n', f->out);
}

void faults__end(struct faults *f)
{
	if (f->count > FAULTS_SHOWN)
		fprintf(f->out, "%s/%s: ... and %" PRIu64 " more\n", f->dir, f->path,
			f->count - FAULTS_SHOWN);
}

/* ---- rows ---- */

/* Takes the CSV quotes off a row's fields, in place. Returns how many fields there are, also past
 * COLUMNS_MAX, or -1 with a reason. */
static int split(char *row, size_t len, struct field *fields, const char **ret_why)
{
	char *s = row, *end = row + len;
	int n = 0;

	for (;; s++) {
		struct field field = { s, 0 };
		bool quoted = s < end && *s == '"', needed = false;
		char *to = s;

		for (s += quoted; s < end && (quoted || *s != ','); s++) {
			if (*s == '"' && quoted) {
				if (s + 1 == end || s[1] != '"')
					break;
				s++;
			} else if (*s == '"') {
				*ret_why = "a quote in a field without quotes";
				return -1;
			}
			needed |= *s == '"' || *s == ',';
			*to++ = *s;
		}
		if (quoted && (s == end || (s + 1 < end && s[1] != ','))) {
			*ret_why = s == end ? "a quote that doesn't end" : "text after a quote";
			return -1;
		}
		if (quoted && !needed) {
			*ret_why = "quotes without need";
			return -1;
		}
		s += quoted;
		field.len = to - field.s;
		if (n < COLUMNS_MAX)
			fields[n] = field;
		n++;
		if (s == end)
			return n;
	}
}

/* The first one holds for what lies before it, too. */
static const struct clock_offset *offset_at(const struct verify_session *v, uint64_t mono_ns)
{
	size_t first = 0, last = v->n_offsets - 1;

	while (first < last) {
		size_t middle = last - (last - first) / 2;

		if (mono_ns < v->offsets[middle].from_mono_ns)
			last = middle - 1;
		else
			first = middle;
	}
	return &v->offsets[first];
}

/* The first column is the last one in local time. */
static void check_clock(struct reader *r, const struct field *fields)
{
	const struct field *wall = &fields[0], *last = &fields[r->schema->n_columns - 1];
	const struct clock_offset *offset;
	int64_t wall_us, want_us;
	uint64_t mono_ns;

	if (!field__uint(last->s, last->len, &mono_ns))
		return;
	if (mono_ns < r->first_ns)
		r->first_ns = mono_ns;
	if (mono_ns > r->last_ns)
		r->last_ns = mono_ns;
	if (!field__wall(wall->s, wall->len, &wall_us))
		return;
	offset = offset_at(r->session, mono_ns);
	want_us = (int64_t)(mono_ns + offset->offset_ns) / 1000 + offset->utc_offset_s * 1000000ll;
	if (llabs(wall_us - want_us) > TOLERANCE_NS / 1000)
		faults__add(r->faults,
			    "row %" PRIu64 ": column %s: %.26s is %" PRId64
			    " us off mono_ns and the clock's offset",
			    r->rows, r->schema->columns[0].name, wall->s, wall_us - want_us);
}

static int find_column(const struct stream_schema *schema, const char *name)
{
	int i = schema->n_columns - 1;

	while (i >= 0 && strcmp(schema->columns[i].name, name))
		i--;
	return i;
}

static bool is(const struct field *f, const char *word)
{
	return f->len == strlen(word) && !memcmp(f->s, word, f->len);
}

static void add_lost(struct reader *r, const struct field *fields)
{
	const struct field *stream = &fields[find_column(r->schema, "stream")];
	const struct field *cause = &fields[find_column(r->schema, "cause")];
	const struct field *count = &fields[find_column(r->schema, "count")];
	uint64_t rows;

	if (!field__uint(count->s, count->len, &rows))
		return;
	for (int i = 0; i < STREAM_COUNT; i++)
		for (int k = 0; k < LOST_CAUSES; k++)
			if (is(stream, schema_streams[i].key) && is(cause, lost_causes[k]))
				r->session->lost[i][k] += rows;
}

static void check_row(struct reader *r, char *row, size_t len)
{
	struct field fields[COLUMNS_MAX];
	char shown[SHOWN_SIZE];
	const char *why = NULL;
	int n = split(row, len, fields, &why);

	if (n < 0) {
		faults__add(r->faults, "row %" PRIu64 ": %s", r->rows, why);
		return;
	}
	if ((size_t)n != r->schema->n_columns) {
		faults__add(r->faults, "row %" PRIu64 ": %d fields, should be %zu", r->rows, n,
			    r->schema->n_columns);
		return;
	}
	for (int i = 0; i < n; i++) {
		const struct field *f = &fields[i];

		/* A row without its time is no row. */
		why = i || f->len ? field__check(&r->schema->columns[i], f->s, f->len) : "empty";
		if (why)
			faults__add(r->faults, "row %" PRIu64 ": column %s: %s: '%s'", r->rows,
				    r->schema->columns[i].name, why,
				    faults__show(shown, f->s, f->len));
	}
	check_clock(r, fields);
	if (r->stated->stream == STREAM_LOST)
		add_lost(r, fields);
}

static void check_header(struct reader *r, const char *row, size_t len)
{
	char header[SCHEMA_HEADER_MAX], shown[SHOWN_SIZE];
	size_t want = schema__header(r->stated->stream, header) - 1;
	size_t same = 0;

	r->header_seen = true;
	r->header_sound = len == want && !memcmp(row, header, len);
	if (r->header_sound)
		return;
	while (same < len && same < want && row[same] == header[same])
		same++;
	faults__add(r->faults, "header: not the schema's from byte %zu on: '%s'", same,
		    faults__show(shown, row + same, len - same));
}

static void take_row(struct reader *r, char *row, size_t len)
{
	if (!r->header_seen) {
		check_header(r, row, len);
		return;
	}
	r->rows++;
	if (r->header_sound)
		check_row(r, row, len);
}

/* ADDED bytes have come to what is in buf. */
static void take_rows(struct reader *r, size_t added)
{
	char *row = r->buf, *end = r->buf + r->fill + added, *lf;

	for (char *s = row + r->fill; (lf = memchr(s, '\n', end - s)); s = row = lf + 1)
		take_row(r, row, lf - row);
	r->fill = end - row;
	if (row == r->buf)
		return;
	memmove(r->buf, row, r->fill);
}

/* ---- frame ---- */

static void stop(struct reader *r, const char *why)
{
	faults__add(r->faults, "after row %" PRIu64 ": %s", r->rows, why);
	r->stopped = true;
}

/* RFC 8878, 3.1.1: the magic number, then the frame header's descriptor, whose bit 2 says that a
 * checksum of the content follows the blocks. */
static void check_frame_header(struct reader *r, const unsigned char *in, size_t len)
{
	static const unsigned char magic[] = { 0x28, 0xb5, 0x2f, 0xfd };

	if (len < 5 || memcmp(in, magic, sizeof(magic))) {
		faults__add(r->faults, "no Zstandard frame");
		r->stopped = true;
	} else if (!(in[4] & 4)) {
		faults__add(r->faults, "the frame has no content checksum");
	}
}

static void decode(struct reader *r, ZSTD_DCtx *ctx, const unsigned char *data, size_t len)
{
	ZSTD_inBuffer in = { data, len, 0 };

	while (!r->stopped && !r->frame_ended) {
		ZSTD_outBuffer out = { r->buf, ROW_MAX, r->fill };
		size_t ret = ZSTD_decompressStream(ctx, &out, &in);
		bool full = out.pos == out.size;

		if (ZSTD_isError(ret)) {
			stop(r, ZSTD_getErrorName(ret));
			return;
		}
		r->raw += out.pos - r->fill;
		take_rows(r, out.pos - r->fill);
		r->frame_ended = !ret;
		if (r->fill == ROW_MAX)
			stop(r, "a row of more than a megabyte");
		else if (frame__is_bomb(r->compressed, r->raw))
			stop(r, FRAME_BOMB);
		else if (r->raw > r->stated->raw_bytes)
			stop(r, "more data than raw_bytes says");
		else if (ret && !full && in.pos == in.size)
			return;
	}
	if (!r->stopped && in.pos < in.size)
		stop(r, "data after the end of the frame");
}

/* ---- the whole ---- */

static void compare(struct reader *r, const char *name, uint64_t is_, uint64_t stated)
{
	if (is_ != stated)
		faults__add(r->faults, "%s: the manifest says %" PRIu64 ", the file %" PRIu64, name,
			    stated, is_);
}

static void check_end(struct reader *r)
{
	if (r->stopped)
		return;
	if (!r->frame_ended) {
		stop(r, "truncated: the frame doesn't end");
		return;
	}
	if (r->fill) {
		r->rows++;
		faults__add(r->faults, "row %" PRIu64 ": torn: no line feed at its end", r->rows);
	}
	if (!r->header_seen)
		faults__add(r->faults, "header: missing");
	compare(r, "rows", r->rows, r->stated->rows);
	compare(r, "raw_bytes", r->raw, r->stated->raw_bytes);
	if (r->first_ns <= r->last_ns) {
		compare(r, "first_mono_ns", r->first_ns, r->stated->first_mono_ns);
		compare(r, "last_mono_ns", r->last_ns, r->stated->last_mono_ns);
	}
}

static void check_bytes(struct reader *r, EVP_MD_CTX *md)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	char hex[65];

	compare(r, "compressed_bytes", r->compressed, r->stated->compressed_bytes);
	EVP_DigestFinal_ex(md, hash, NULL);
	for (int i = 0; i < 32; i++)
		sprintf(hex + 2 * i, "%02x", hash[i]);
	if (strcmp(hex, r->stated->sha256))
		faults__add(r->faults, "sha256: the manifest says %s, the file %s",
			    r->stated->sha256, hex);
}

/* As many bytes as there are, up to SIZE. */
static ssize_t read_full(int fd, unsigned char *buf, size_t size)
{
	size_t fill = 0;

	while (fill < size) {
		ssize_t n = read(fd, buf + fill, size - fill);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		fill += n;
	}
	return fill;
}

static void read_all(struct reader *r, int fd, unsigned char *in, ZSTD_DCtx *ctx, EVP_MD_CTX *md)
{
	ssize_t n;

	while ((n = read_full(fd, in, IN_SIZE)) > 0) {
		if (!r->compressed)
			check_frame_header(r, in, n);
		r->compressed += n;
		EVP_DigestUpdate(md, in, n);
		decode(r, ctx, in, n);
	}
	if (n < 0) {
		faults__add(r->faults, "cannot be read: %s", strerror(-n));
		return;
	}
	check_end(r);
	check_bytes(r, md);
}

void verify_file__check(struct verify_session *v, struct faults *f, int fd,
			const struct file_facts *stated)
{
	struct reader *r = malloc(sizeof(*r));
	unsigned char *in = malloc(IN_SIZE);
	ZSTD_DCtx *ctx = ZSTD_createDCtx();
	EVP_MD_CTX *md = EVP_MD_CTX_new();

	if (r && in && ctx && md && EVP_DigestInit_ex(md, EVP_sha256(), NULL)) {
		memset(r, 0, offsetof(struct reader, buf));
		r->first_ns = UINT64_MAX;
		r->session = v;
		r->faults = f;
		r->stated = stated;
		r->schema = &schema_streams[stated->stream];
		ZSTD_DCtx_setParameter(ctx, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
		read_all(r, fd, in, ctx, md);
	} else {
		faults__add(f, "cannot be checked: out of memory");
	}
	EVP_MD_CTX_free(md);
	ZSTD_freeDCtx(ctx);
	free(in);
	free(r);
}
