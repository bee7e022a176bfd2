/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One stream of sessions as a Parquet file, written by DuckDB. */
#ifndef IOTRC_PARQUET_H
#define IOTRC_PARQUET_H

#include "export/duckdb.h"
#include "export/scan.h"

struct parquet_config {
	const char *const *paths; /* sessions, or directories with sessions below; ends with NULL */
	enum stream stream;
	const char *file; /* is replaced */
};

/* Writes columns machine, session and boot, then those of the stream, with the types of the schema:
 * the first one is a TIMESTAMP_NS in UTC, of mono_ns and the offset in force; other times, which
 * are local in the CSV, are TIMESTAMP in UTC; inode and other uint64 are UBIGINT, addresses too;
 * text is escaped as in the CSV; empty fields are NULL. Rows are sorted by machine, session and
 * mono_ns, compressed with zstd. DuckDB may use 1 GB of memory; what does not fit goes to a
 * directory in $TMPDIR. *RET_ROWS: rows written, which are as many as the manifests say. Only
 * finished files are read. Returns 0, or a negative errno with RET->why. */
int parquet__write(const struct parquet_config *config, uint64_t *ret_rows,
		   struct scan_result *ret);

#endif
