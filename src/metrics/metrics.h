/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state of a recording as metrics, in the text format of Prometheus
 * (https://prometheus.io/docs/instrumenting/exposition_formats/, version 0.0.4). docs/metrics.md
 * lists the metrics. No name of a file, process or user is among their labels. */
#ifndef IOTRC_METRICS_H
#define IOTRC_METRICS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "metrics/latency.h"
#include "rows/reqnames.h"
#include "schema/row_counts.h"
#include "schema/streams.h"

struct metrics_stream {
	bool enabled;
	struct row_counts rows;
	uint64_t bytes;  /* compressed, on disk */
	uint64_t missed; /* events for which no program ran */
};

struct metrics_upload {
	bool enabled, failing;
	uint64_t files_done, bytes_done; /* since the start */
	uint64_t files_left, bytes_left;
};

/* Counts are those since the start of the recording. */
struct metrics_values {
	bool recording;         /* false once it has ended */
	uint64_t start_real_ns; /* wall time of the start, since 1970 */
	struct metrics_stream streams[STREAM_COUNT];
	unsigned int events_fill, definitions_fill, queue_fill; /* percent of the fullest buffer */
	uint64_t reader_stalls, disk_stalls;
	struct metrics_upload upload;
};

/* What does not change during a recording; borrowed. */
struct metrics_source {
	const char *engine, *kernel;          /* kernel: as in uname(2) */
	const struct reqnames *request_names; /* NULL: none */
	const struct latencies *latencies;
};

/* Writes the metrics to OUT. */
void metrics__print(FILE *out, const struct metrics_source *source,
		    const struct metrics_values *values);

#endif
