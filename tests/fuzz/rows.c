// SPDX-License-Identifier: GPL-2.0-or-later
/* Rows for verify: one byte for the stream, then what follows its header row. Compressed here, so
 * that every input reaches the CSV parser. */
#include <zstd.h>

#include "dataset/verify_file.h"
#include "fuzz.h"
#include "schema/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct clock_offset offset = { 0, 1700000000000000000, 0 };
	struct verify_session session = { .offsets = &offset, .n_offsets = 1 };
	struct faults faults = { fuzz__sink(), "d", "p", 0 };
	struct file_facts facts = { .path = "p", .raw_bytes = UINT64_MAX };
	char header[SCHEMA_HEADER_MAX], *csv, *out;
	size_t len, bound;
	ZSTD_CCtx *ctx;
	int fd;

	if (!size)
		return 0;
	facts.stream = *data % STREAM_COUNT;
	len = schema__header(facts.stream, header);
	csv = malloc(len + size);
	memcpy(csv, header, len);
	memcpy(csv + len, data + 1, size - 1);
	bound = ZSTD_compressBound(len + size);
	out = malloc(bound);
	ctx = ZSTD_createCCtx();
	ZSTD_CCtx_setParameter(ctx, ZSTD_c_checksumFlag, 1);
	fd = fuzz__file(out, ZSTD_compress2(ctx, out, bound, csv, len + size - 1));
	verify_file__check(&session, &faults, fd, &facts);
	faults__end(&faults);
	close(fd);
	ZSTD_freeCCtx(ctx);
	free(out);
	free(csv);
	return 0;
}
