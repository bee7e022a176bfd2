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
#include "dataset/known_rows.h"
#include "dataset/row_file.h"

#define TOLERANCE_US 1000

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
	struct field_second second;
	struct known_rows *known;
};

/* ---- rows ---- */

/* Returns by how many microseconds WALL_US differs from MONO_NS in local time. */
static int64_t clock_error(const struct reader *r, int64_t wall_us, uint64_t mono_ns)
{
	const struct clock_offset *offset =
		clock__offset_at(r->session->offsets, r->session->n_offsets, mono_ns);

	return wall_us - (int64_t)(mono_ns + offset->offset_ns) / 1000 -
	       offset->utc_offset_s * INT64_C(1000000);
}

static void add_time(struct reader *r, uint64_t mono_ns)
{
	if (mono_ns < r->first_ns)
		r->first_ns = mono_ns;
	if (mono_ns > r->last_ns)
		r->last_ns = mono_ns;
}

/* Checks that the first column is the last one in local time. */
static void check_clock(struct reader *r, const struct row_field *fields)
{
	const struct row_field *wall = &fields[0], *last = &fields[r->n_columns - 1];
	int64_t wall_us, error_us;
	uint64_t mono_ns;

	if (!field__uint(last->s, last->len, &mono_ns))
		return;
	add_time(r, mono_ns);
	if (!field__wall_near(&r->second, wall->s, wall->len, &wall_us))
		return;
	error_us = clock_error(r, wall_us, mono_ns);
	if (llabs(error_us) > TOLERANCE_US)
		faults__add(r->faults,
			    "row %" PRIu64 ": column %s: %.26s is %" PRId64
			    " us off mono_ns and the clock's offset",
			    r->rows, r->schema->columns[0].name, wall->s, error_us);
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

static void check_row(struct reader *r, char *row, size_t len)
{
	struct row_field fields[ROW_FIELDS_MAX];
	char shown[SHOWN_SIZE];
	const char *why = NULL;
	uint64_t faults = r->faults->count;
	int n;

	known_rows__add(r->known, row, len);
	n = row_file__split(row, len, fields, &why);
	if (n < 0)
		faults__add(r->faults, "row %" PRIu64 ": %s", r->rows, why);
	else if ((size_t)n != r->n_columns)
		faults__add(r->faults, "row %" PRIu64 ": %d fields, should be %zu", r->rows, n,
			    r->n_columns);
	for (int i = 0; (size_t)n == r->n_columns && i < n; i++) {
		const struct row_field *f = &fields[i];
		const struct column *column = r->known->columns[i];

		/* A row without its time is invalid. */
		why = i || f->len ? field__check(column, f->s, f->len) : "empty";
		if (why)
			faults__add(r->faults, "row %" PRIu64 ": column %s: %s: '%s'", r->rows,
				    column->name, why, faults__show(shown, f->s, f->len));
	}
	if (r->faults->count != faults)
		known_rows__forget(r->known);
	if ((size_t)n != r->n_columns)
		return;
	check_clock(r, fields);
	if (r->stated->stream == STREAM_LOST)
		add_lost(r, fields);
}

/* Whether the row is valid, because it equals earlier ones where its time and other simple fields
 * do not differ. If so, its time is added. */
static bool is_sound(struct reader *r, const char *row, size_t len)
{
	const char *last = known_rows__accept(r->known, row, len);
	uint64_t mono_ns;
	int64_t wall_us;

	if (!last || !field__uint(last, row + len - last, &mono_ns) || mono_ns > INT64_MAX ||
	    !field__wall_near(&r->second, row, CLOCK_WALL_LEN, &wall_us) ||
	    llabs(clock_error(r, wall_us, mono_ns)) > TOLERANCE_US)
		return false;
	add_time(r, mono_ns);
	return true;
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
	/* Each row of `lost` is counted, too. */
	if (r->header_sound && (r->stated->stream == STREAM_LOST || !is_sound(r, row, len)))
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
	};
	struct row_file_config config = {
		.fd = fd,
		.raw_bytes = stated->raw_bytes,
		.compressed = add_to_hash,
		.arg = &r,
	};

	r.known = known_rows__new(stated->stream, r.n_columns);
	if (r.md && r.known && EVP_DigestInit_ex(r.md, EVP_sha256(), NULL) &&
	    !row_file__new(&r.file, &config))
		read_all(&r, fd);
	else
		faults__add(f, "cannot be checked: out of memory");
	row_file__free(r.file);
	free(r.known);
	EVP_MD_CTX_free(r.md);
}
