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

#include "base/shown.h"
#include "dataset/field.h"
#include "dataset/row_file.h"

#define TOLERANCE_NS 1000000

/* Fields of these columns often repeat: the last valid ones are cached. */
#define SEEN_TYPES (1 << COL_TEXT | 1 << COL_WORD | 1 << COL_FLAGS | 1 << COL_DEVICE)
#define SEEN_MAX 640 /* bytes: a cmdline with some escapes */
#define SEEN 8       /* per column; a power of two */

struct seen {
	size_t len; /* 0: none */
	char s[SEEN_MAX];
};

struct reader {
	struct verify_session *session;
	struct faults *faults;
	const struct file_facts *stated;
	const struct stream_schema *schema;
	size_t n_columns;
	struct row_file *file;
	EVP_MD_CTX *md;
	uint64_t rows, first_ns, last_ns;
	bool header_seen, header_sound;
	char second[20]; /* the last wall time up to its decimal point, … */
	int64_t second_us;
	bool has_second;
	struct seen (*seen)[SEEN]; /* by column */
};

/* ---- rows ---- */

/* Like field__wall(); most rows are of the same second as the one before. */
static bool read_wall(struct reader *r, const char *s, size_t len, int64_t *ret_us)
{
	int us = 0;

	if (!r->has_second || len != 26 || memcmp(s, r->second, sizeof(r->second)) != 0) {
		if (!field__wall(s, len, ret_us))
			return false;
		r->has_second = true;
		memcpy(r->second, s, sizeof(r->second));
		r->second_us = *ret_us - *ret_us % 1000000;
		return true;
	}
	for (size_t i = sizeof(r->second); i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		us = us * 10 + s[i] - '0';
	}
	*ret_us = r->second_us + us;
	return true;
}

/* Checks that the first column is the last one in local time. */
static void check_clock(struct reader *r, const struct row_field *fields)
{
	const struct row_field *wall = &fields[0], *last = &fields[r->n_columns - 1];
	const struct clock_offset *offset;
	int64_t wall_us, want_us;
	uint64_t mono_ns;

	if (!field__uint(last->s, last->len, &mono_ns))
		return;
	if (mono_ns < r->first_ns)
		r->first_ns = mono_ns;
	if (mono_ns > r->last_ns)
		r->last_ns = mono_ns;
	if (!read_wall(r, wall->s, wall->len, &wall_us))
		return;
	offset = clock__offset_at(r->session->offsets, r->session->n_offsets, mono_ns);
	want_us = (int64_t)(mono_ns + offset->offset_ns) / 1000 + offset->utc_offset_s * 1000000ll;
	if (llabs(wall_us - want_us) > TOLERANCE_NS / 1000)
		faults__add(r->faults,
			    "row %" PRIu64 ": column %s: %.26s is %" PRId64
			    " us off mono_ns and the clock's offset",
			    r->rows, r->schema->columns[0].name, wall->s, wall_us - want_us);
}

static bool is_word(const struct row_field *f, const char *word)
{
	return f->len == strlen(word) && !memcmp(f->s, word, f->len);
}

/* The named column of a row of the lost stream. */
static const struct row_field *find_field(const struct row_field *fields, const char *name)
{
	return &fields[schema__column(STREAM_LOST, name, strlen(name))];
}

static void add_lost(struct reader *r, const struct row_field *fields)
{
	const struct row_field *stream = find_field(fields, "stream");
	const struct row_field *cause = find_field(fields, "cause");
	const struct row_field *count = find_field(fields, "count");
	uint64_t rows;

	if (!field__uint(count->s, count->len, &rows))
		return;
	for (int i = 0; i < STREAM_COUNT; i++)
		for (int k = 0; k < LOST_CAUSES; k++)
			if (is_word(stream, schema_streams[i].key) &&
			    is_word(cause, lost_causes[k]))
				r->session->lost[i][k] += rows;
}

/* Returns why F is not a valid field of COLUMN, or NULL. */
static const char *check_field(struct reader *r, int i, const struct column *column,
			       const struct row_field *f)
{
	const char *why;
	struct seen *s;
	int64_t us;

	if (!f->len) /* a row without its time is invalid */
		return i ? field__check(column, f->s, 0) : "empty";
	if (column->type == COL_WALL && read_wall(r, f->s, f->len, &us))
		return NULL;
	if (!(SEEN_TYPES >> column->type & 1) || f->len > SEEN_MAX)
		return field__check(column, f->s, f->len);
	s = &r->seen[i][(f->len + (unsigned char)f->s[f->len / 2]) % SEEN];
	if (s->len == f->len && !memcmp(s->s, f->s, f->len))
		return NULL;
	why = field__check(column, f->s, f->len);
	if (!why) {
		s->len = f->len;
		memcpy(s->s, f->s, f->len);
	}
	return why;
}

static void check_row(struct reader *r, char *row, size_t len)
{
	struct row_field fields[ROW_FIELDS_MAX];
	char shown[SHOWN_SIZE];
	const char *why = NULL;
	int n = row_file__split(row, len, fields, &why);

	if (n < 0) {
		faults__add(r->faults, "row %" PRIu64 ": %s", r->rows, why);
		return;
	}
	if ((size_t)n != r->n_columns) {
		faults__add(r->faults, "row %" PRIu64 ": %d fields, should be %zu", r->rows, n,
			    r->n_columns);
		return;
	}
	for (int i = 0; i < n; i++) {
		const struct row_field *f = &fields[i];
		const struct column *column =
			&r->schema->columns[schema__column_of_field(r->stated->stream, n, i)];

		why = check_field(r, i, column, f);
		if (why)
			faults__add(r->faults, "row %" PRIu64 ": column %s: %s: '%s'", r->rows,
				    column->name, why, faults__show(shown, f->s, f->len));
	}
	check_clock(r, fields);
	if (r->stated->stream == STREAM_LOST)
		add_lost(r, fields);
}

static void check_header(struct reader *r, const char *row, size_t len)
{
	char header[SCHEMA_HEADER_MAX], shown[SHOWN_SIZE];
	size_t want = schema__header_of(r->stated->stream, r->n_columns, header) - 1;
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

/* ---- the whole ---- */

static void compare(struct reader *r, const char *name, uint64_t is_, uint64_t stated)
{
	if (is_ != stated)
		faults__add(r->faults, "%s: the manifest says %" PRIu64 ", the file %" PRIu64, name,
			    stated, is_);
}

static void check_end(struct reader *r)
{
	if (!row_file__ended(r->file)) {
		faults__add(r->faults, "after row %" PRIu64 ": truncated: the frame is incomplete",
			    r->rows);
		return;
	}
	if (row_file__torn(r->file)) {
		r->rows++;
		faults__add(r->faults, "row %" PRIu64 ": torn: no line feed at its end", r->rows);
	}
	if (!r->header_seen)
		faults__add(r->faults, "header: missing");
	compare(r, "rows", r->rows, r->stated->rows);
	compare(r, "raw_bytes", row_file__raw(r->file), r->stated->raw_bytes);
	if (r->first_ns <= r->last_ns) {
		compare(r, "first_mono_ns", r->first_ns, r->stated->first_mono_ns);
		compare(r, "last_mono_ns", r->last_ns, r->stated->last_mono_ns);
	}
}

static void check_bytes(struct reader *r)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	char hex[65];

	compare(r, "compressed_bytes", row_file__compressed(r->file), r->stated->compressed_bytes);
	EVP_DigestFinal_ex(r->md, hash, NULL);
	for (int i = 0; i < 32; i++)
		sprintf(hex + 2 * i, "%02x", hash[i]);
	if (strcmp(hex, r->stated->sha256))
		faults__add(r->faults, "sha256: the manifest says %s, the file %s",
			    r->stated->sha256, hex);
}

static void add_to_hash(void *arg, const void *data, size_t len)
{
	struct reader *r = arg;

	EVP_DigestUpdate(r->md, data, len);
	if (r->session->read)
		r->session->read(r->session->arg, len);
}

static void read_all(struct reader *r, int fd)
{
	char *row;
	size_t len;
	int got;

	while ((got = row_file__next(r->file, &row, &len)) > 0)
		take_row(r, row, len);
	if (got == -EBADMSG) {
		if (row_file__is_frame(r->file))
			faults__add(r->faults, "after row %" PRIu64 ": %s", r->rows,
				    row_file__why(r->file));
		else
			faults__add(r->faults, "%s", row_file__why(r->file));
		row_file__skip(r->file);
	} else if (got) {
		faults__add(r->faults, "cannot be read: %s", strerror(-got));
		return;
	} else {
		check_end(r);
	}
	if (row_file__is_frame(r->file) && !row_file__has_checksum(r->file))
		faults__add(r->faults, "the frame has no content checksum");
	check_bytes(r);
}

void verify_file__check(struct verify_session *v, struct faults *f, int fd,
			const struct file_facts *stated)
{
	struct reader r = {
		.session = v,
		.faults = f,
		.stated = stated,
		.schema = &schema_streams[stated->stream],
		.n_columns = v->n_columns ? v->n_columns[stated->stream] :
					    schema_streams[stated->stream].n_columns,
		.md = EVP_MD_CTX_new(),
		.first_ns = UINT64_MAX,
		.seen = calloc(ROW_FIELDS_MAX, sizeof(*r.seen)),
	};
	struct row_file_config config = {
		.fd = fd,
		.raw_bytes = stated->raw_bytes,
		.compressed = add_to_hash,
		.arg = &r,
	};

	if (r.md && r.seen && EVP_DigestInit_ex(r.md, EVP_sha256(), NULL) &&
	    !row_file__new(&r.file, &config))
		read_all(&r, fd);
	else
		faults__add(f, "cannot be checked: out of memory");
	row_file__free(r.file);
	free(r.seen);
	EVP_MD_CTX_free(r.md);
}
