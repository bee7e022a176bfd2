// SPDX-License-Identifier: GPL-2.0-or-later
/* A session for verify --anonymous: one byte for the kind of the file (rows of a stream, or JSON),
 * then its content. Rows are compressed here, so that every input reaches the CSV parser. */
#include <zstd.h>

#include "commands/verify_anonymous.h"
#include "fuzz.h"
#include "schema/schema.h"

static void put_rows(int dir, enum stream stream, const uint8_t *data, size_t size)
{
	char header[SCHEMA_HEADER_MAX];
	size_t len = schema__header(stream, header), bound = ZSTD_compressBound(len + size);
	char *csv = malloc(len + size), *out = malloc(bound);

	memcpy(csv, header, len);
	memcpy(csv + len, data, size);
	fuzz__put(dir, "rows.csv.zst", out, ZSTD_compress(out, bound, csv, len + size, 1));
	free(out);
	free(csv);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char manifest[] = "{\"session\": {\"anonymized\": true}}",
			  words[] = "/home\na \"b\"\n\n\xff\\\n";
	int dir = fuzz__dir(), session;
	char path[96], against[96];

	if (!size)
		return 0;
	mkdirat(dir, "s", 0750);
	session = openat(dir, "s", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fuzz__put(dir, "words", words, sizeof(words) - 1);
	if (*data % (STREAM_COUNT + 1) < STREAM_COUNT) {
		fuzz__put(session, "manifest.json", manifest, sizeof(manifest) - 1);
		put_rows(session, *data % (STREAM_COUNT + 1), data + 1, size - 1);
	} else {
		fuzz__put(session, "manifest.json", data + 1, size - 1);
		unlinkat(session, "rows.csv.zst", 0);
	}
	close(session);
	snprintf(path, sizeof(path), "%s/s", fuzz__path);
	snprintf(against, sizeof(against), "%s/words", fuzz__path);
	verify_anonymous__dir(path, against, false, fuzz__sink());
	return 0;
}
