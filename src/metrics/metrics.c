// SPDX-License-Identifier: GPL-2.0-or-later
#include "metrics/metrics.h"

#include <inttypes.h>

#include "commit.h"
#include "platform/macros.h"
#include "schema/schema.h"

static void print_head(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP iotrc_%s %s\n# TYPE iotrc_%s %s\n", name, help, name, type);
}

static void print_value(FILE *out, const char *name, const char *type, const char *help,
			double value)
{
	print_head(out, name, type, help);
	fprintf(out, "iotrc_%s %.17g\n", name, value);
}

/* A label's value: backslash, quote and line feed are escaped. */
static void print_label(FILE *out, const char *value)
{
	for (; *value; value++) {
		if (*value == '\\' || *value == '"')
			fputc('\\', out);
		if (*value == '\n')
			fputs("\\n", out);
		else
			fputc(*value, out);
	}
}

/* ---- streams ---- */

typedef uint64_t stream_value_fn(const struct metrics_stream *s);

static uint64_t seen(const struct metrics_stream *s)
{
	return s->rows.seen;
}

static uint64_t written(const struct metrics_stream *s)
{
	return s->rows.written;
}

static uint64_t filtered(const struct metrics_stream *s)
{
	return s->rows.filtered;
}

static uint64_t bytes(const struct metrics_stream *s)
{
	return s->bytes;
}

static uint64_t missed(const struct metrics_stream *s)
{
	return s->missed;
}

static const struct stream_metric {
	const char *name, *help;
	stream_value_fn *value;
	bool captured_only; /* only for streams that an engine captures */
} stream_metrics[] = {
	{ "rows_seen_total", "Rows seen: written, filtered and lost ones.", seen, false },
	{ "rows_written_total", "Rows written to files.", written, false },
	{ "rows_filtered_total", "Rows left out by filters.", filtered, false },
	{ "written_bytes_total", "Compressed bytes written to files.", bytes, false },
	{ "events_missed_total", "Events for which the kernel ran no program.", missed, true },
};

static void print_streams(FILE *out, const struct metrics_values *v)
{
	for (size_t m = 0; m < ARRAY_SIZE(stream_metrics); m++) {
		const struct stream_metric *metric = &stream_metrics[m];

		print_head(out, metric->name, "counter", metric->help);
		for (int s = 0; s < (metric->captured_only ? STREAM_CAPTURED : STREAM_COUNT); s++)
			if (v->streams[s].enabled)
				fprintf(out, "iotrc_%s{stream=\"%s\"} %" PRIu64 "\n", metric->name,
					schema_streams[s].key, metric->value(&v->streams[s]));
	}
	print_head(out, "rows_lost_total", "counter", "Rows lost, by cause.");
	for (int s = 0; s < STREAM_COUNT; s++)
		for (int cause = 0; v->streams[s].enabled && cause < LOST_CAUSES; cause++)
			fprintf(out,
				"iotrc_rows_lost_total{stream=\"%s\",cause=\"%s\"} %" PRIu64 "\n",
				schema_streams[s].key, lost_causes[cause],
				v->streams[s].rows.lost[cause]);
}

/* ---- histograms ---- */

/* LABELS: name="value" pairs, without braces. */
static void print_latency(FILE *out, const char *name, const char *labels, const struct latency *l)
{
	uint64_t count = 0, bound_ns = LATENCY_LEAST_NS;

	for (int i = 0; i < LATENCY_BUCKETS; i++, bound_ns <<= LATENCY_STEP_BITS) {
		count += atomic_load_explicit(&l->buckets[i], memory_order_relaxed);
		fprintf(out, "iotrc_%s_bucket{%s,le=\"", name, labels);
		if (i < LATENCY_BUCKETS - 1)
			fprintf(out, "%.9g", (double)bound_ns / 1e9);
		else
			fputs("+Inf", out);
		fprintf(out, "\"} %" PRIu64 "\n", count);
	}
	fprintf(out, "iotrc_%s_sum{%s} %.9f\n", name, labels,
		(double)atomic_load_explicit(&l->sum_ns, memory_order_relaxed) / 1e9);
	fprintf(out, "iotrc_%s_count{%s} %" PRIu64 "\n", name, labels, count);
}

static bool is_empty(const struct latency *l)
{
	for (int i = 0; i < LATENCY_BUCKETS; i++)
		if (atomic_load_explicit(&l->buckets[i], memory_order_relaxed))
			return false;
	return true;
}

static void print_operations(FILE *out, const struct latencies *l)
{
	static const char *const names[FS_OP_COUNT] = {
#define OP_NAME(sym, text) [FS_##sym] = text,
		FS_OPS(OP_NAME)
#undef OP_NAME
	};
	char labels[64];

	print_head(out, "operation_duration_seconds", "histogram",
		   "Duration of operations on files, from call to return, of written rows.");
	for (int op = 0; op < FS_OP_COUNT; op++) {
		if (is_empty(&l->fs[op]))
			continue;
		snprintf(labels, sizeof(labels), "operation=\"%s\"", names[op]);
		print_latency(out, "operation_duration_seconds", labels, &l->fs[op]);
	}
}

static void print_blocks(FILE *out, const struct metrics_source *source)
{
	const struct latencies *l = source->latencies;
	unsigned int n = atomic_load_explicit(&l->n_blocks, memory_order_acquire);
	char labels[96];

	print_head(out, "block_latency_seconds", "histogram",
		   "Time from issue to completion of requests to block devices, of written rows.");
	for (unsigned int i = 0; i < n; i++) {
		const struct latency_block *b = &l->blocks[i];

		snprintf(labels, sizeof(labels), "device=\"%u:%u\",operation=\"%s\"", b->dev >> 20,
			 b->dev & 0xfffff,
			 source->request_names ? source->request_names->ops_lower[b->op] : "");
		print_latency(out, "block_latency_seconds", labels, &b->latency);
	}
	if (!is_empty(&l->other_block))
		print_latency(out, "block_latency_seconds", "device=\"other\",operation=\"other\"",
			      &l->other_block);
}

/* ---- the rest ---- */

static void print_build(FILE *out, const struct metrics_source *source)
{
	print_head(out, "build_info", "gauge", "Version of iotrc, engine and kernel; always 1.");
	fputs("iotrc_build_info{version=\"" IOTRC_VERSION "\",commit=\"" IOTRC_COMMIT
	      "\",engine=\"",
	      out);
	print_label(out, source->engine);
	fputs("\",kernel=\"", out);
	print_label(out, source->kernel);
	fputs("\"} 1\n", out);
}

static void print_buffers(FILE *out, const struct metrics_values *v)
{
	print_head(
		out, "buffer_fill_ratio", "gauge",
		"Share in use of the fullest buffer for events and for definitions in the kernel, "
		"and of the queue to the writer.");
	fprintf(out,
		"iotrc_buffer_fill_ratio{buffer=\"events\"} %.2f\n"
		"iotrc_buffer_fill_ratio{buffer=\"definitions\"} %.2f\n"
		"iotrc_buffer_fill_ratio{buffer=\"queue\"} %.2f\n",
		v->events_fill / 100.0, v->definitions_fill / 100.0, v->queue_fill / 100.0);
	print_head(out, "thread_stalls_total", "counter",
		   "Times that a thread did not make progress for some seconds.");
	fprintf(out,
		"iotrc_thread_stalls_total{thread=\"reader\"} %" PRIu64 "\n"
		"iotrc_thread_stalls_total{thread=\"writer\"} %" PRIu64 "\n",
		v->reader_stalls, v->disk_stalls);
}

static void print_upload(FILE *out, const struct metrics_upload *u)
{
	if (!u->enabled)
		return;
	print_value(out, "upload_pending_files", "gauge", "Finished files not uploaded yet.",
		    u->files_left);
	print_value(out, "upload_pending_bytes", "gauge", "Bytes of these files.", u->bytes_left);
	print_value(out, "upload_files_total", "counter", "Files uploaded.", u->files_done);
	print_value(out, "upload_bytes_total", "counter", "Bytes of files uploaded.",
		    u->bytes_done);
	print_value(out, "upload_failing", "gauge", "1 if the last attempt to upload failed.",
		    u->failing);
}

void metrics__print(FILE *out, const struct metrics_source *source,
		    const struct metrics_values *values)
{
	print_build(out, source);
	print_value(out, "recording", "gauge", "1 during a recording, 0 after its end.",
		    values->recording);
	print_value(out, "start_time_seconds", "gauge",
		    "Start of the recording, seconds since 1970.",
		    (double)values->start_real_ns / 1e9);
	print_streams(out, values);
	print_buffers(out, values);
	print_upload(out, &values->upload);
	print_operations(out, source->latencies);
	print_blocks(out, source);
}
