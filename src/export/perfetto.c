// SPDX-License-Identifier: GPL-2.0-or-later
/* perfetto: a trace for ui.perfetto.dev and trace_processor. The messages are those of Perfetto's
 * protos/perfetto/trace, and the numbers below are their fields. A row is a slice: on its thread's
 * track (fs) or on its device's (block). Slices of one track must not overlap: what began before
 * the one before it ended (io_uring, requests in a queue) goes to another lane, a track below. */
#include "export/format.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataset/field.h"
#include "dataset/row_file.h"
#include "export/proto.h"
#include "platform/macros.h"

enum { TRACE_PACKET = 1 };
enum {
	PACKET_CLOCKS = 6,
	PACKET_TIMESTAMP = 8,
	PACKET_SEQUENCE = 10,
	PACKET_EVENT = 11,
	PACKET_FLAGS = 13,
	PACKET_DESCRIPTOR = 60
};
enum { CLOCKS_CLOCK = 1, CLOCK_ID = 1, CLOCK_TIME = 2, REALTIME = 1, BOOTTIME = 6 };
enum { TRACK_UUID = 1, TRACK_NAME, TRACK_PROCESS, TRACK_THREAD, TRACK_PARENT, TRACK_COUNTER = 8 };
enum { PROCESS_PID = 1, PROCESS_NAME = 6, THREAD_PID = 1, THREAD_TID, THREAD_NAME = 5 };
enum { COUNTER_UNIT = 3, UNIT_BYTES = 3 };
enum {
	EVENT_ANNOTATION = 4,
	EVENT_TYPE = 9,
	EVENT_TRACK = 11,
	EVENT_CATEGORY = 22,
	EVENT_NAME = 23,
	EVENT_VALUE = 30
};
enum { EVENT_BEGIN = 1, EVENT_END, EVENT_COUNTER = 4 };
enum { ANNOTATION_UINT = 3, ANNOTATION_INT, ANNOTATION_TEXT = 6, ANNOTATION_NAME = 10 };

#define SEQUENCE 1                             /* all packets are of one */
#define NEW_SEQUENCE 1                         /* SEQ_INCREMENTAL_STATE_CLEARED */
#define PACKET_MAX (ROW_FILE_LINE_MAX + 65536) /* a row, and the names of its columns */
#define LANES_MAX 4096    /* shown concurrent operations of a thread, or requests of a device */
#define SPAN_NS 100000000 /* counters: bytes per this much time */

/* The kind of a number in the hash that is a track's uuid. */
enum track_kind { PROCESS = 1, THREAD, DEVICE, LANE, NAME, COUNTER };

static const struct counter {
	enum stream stream;
	const char *operation, *bytes, *name;
} counters[] = {
	{ STREAM_FS, "read", "bytes_completed", "fs: bytes read in 100 ms" },
	{ STREAM_FS, "write", "bytes_completed", "fs: bytes written in 100 ms" },
	{ STREAM_BLOCK, "read", "size", "block: bytes read in 100 ms" },
	{ STREAM_BLOCK, "write", "size", "block: bytes written in 100 ms" },
};

struct perfetto {
	struct proto packet;
	char machine[64]; /* of the first row */
	uint64_t span;    /* start of the span that the counters count */
	uint64_t counts[ARRAY_SIZE(counters)];
	uint8_t buffer[PACKET_MAX];
};

static uint64_t uuid(enum track_kind kind, uint64_t of, uint64_t number)
{
	return table__mix(table__mix(kind, of), number);
}

/* ---- packets ---- */

static size_t begin_packet(struct perfetto *f)
{
	size_t begun;

	f->packet = (struct proto){ .at = f->buffer, .size = sizeof(f->buffer) };
	begun = proto__begin(&f->packet, TRACE_PACKET);
	proto__uint(&f->packet, PACKET_SEQUENCE, SEQUENCE);
	return begun;
}

static int end_packet(struct export *e, struct perfetto *f, size_t begun)
{
	proto__end(&f->packet, begun);
	if (f->packet.full)
		return -E2BIG;
	return fwrite(f->packet.at, f->packet.len, 1, e->out) == 1 ? 0 : -EIO;
}

/* Writes a track; PARENT may be 0, NAME NULL. */
static size_t begin_track(struct perfetto *f, uint64_t id, uint64_t parent, const char *name,
			  size_t *ret_packet)
{
	size_t track;

	*ret_packet = begin_packet(f);
	track = proto__begin(&f->packet, PACKET_DESCRIPTOR);
	proto__uint(&f->packet, TRACK_UUID, id);
	if (parent)
		proto__uint(&f->packet, TRACK_PARENT, parent);
	if (name)
		proto__text(&f->packet, TRACK_NAME, name);
	return track;
}

static int end_track(struct export *e, struct perfetto *f, size_t track, size_t packet)
{
	proto__end(&f->packet, track);
	return end_packet(e, f, packet);
}

static int write_track(struct export *e, uint64_t id, uint64_t parent, const char *name)
{
	struct perfetto *f = e->own;
	size_t packet, track = begin_track(f, id, parent, name, &packet);

	return end_track(e, f, track, packet);
}

static size_t begin_event(struct perfetto *f, uint64_t ns, int type, uint64_t track,
			  size_t *ret_packet)
{
	size_t event;

	*ret_packet = begin_packet(f);
	proto__uint(&f->packet, PACKET_TIMESTAMP, ns);
	event = proto__begin(&f->packet, PACKET_EVENT);
	proto__uint(&f->packet, EVENT_TYPE, type);
	proto__uint(&f->packet, EVENT_TRACK, track);
	return event;
}

static int end_event(struct export *e, struct perfetto *f, size_t event, size_t packet)
{
	proto__end(&f->packet, event);
	return end_packet(e, f, packet);
}

/* ---- the head ---- */

/* Times are wall times, used for both clocks, so that the UI can show the date. */
static int write_clocks(struct export *e, struct perfetto *f, uint64_t ns)
{
	static const int ids[] = { BOOTTIME, REALTIME };
	size_t packet = begin_packet(f), clocks, clock;

	proto__uint(&f->packet, PACKET_FLAGS, NEW_SEQUENCE);
	clocks = proto__begin(&f->packet, PACKET_CLOCKS);
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		clock = proto__begin(&f->packet, CLOCKS_CLOCK);
		proto__uint(&f->packet, CLOCK_ID, ids[i]);
		proto__uint(&f->packet, CLOCK_TIME, ns);
		proto__end(&f->packet, clock);
	}
	proto__end(&f->packet, clocks);
	return end_packet(e, f, packet);
}

static int write_counter_tracks(struct export *e, struct perfetto *f)
{
	int err = 0;

	for (size_t i = 0; !err && i < ARRAY_SIZE(counters); i++) {
		size_t packet, track, counter;

		track = begin_track(f, uuid(COUNTER, 0, i), 0, counters[i].name, &packet);
		counter = proto__begin(&f->packet, TRACK_COUNTER);
		proto__uint(&f->packet, COUNTER_UNIT, UNIT_BYTES);
		proto__end(&f->packet, counter);
		err = end_track(e, f, track, packet);
	}
	return err;
}

static int write_head(struct export *e, const struct export_row *row)
{
	struct perfetto *f = e->own;
	int err = write_clocks(e, f, row->began_ns);

	snprintf(f->machine, sizeof(f->machine), "%s", row->machine);
	e->first = row->began_ns;
	f->span = e->first - e->first % SPAN_NS;
	return err ? err : write_counter_tracks(e, f);
}

/* ---- counters ---- */

static int write_counts(struct export *e, struct perfetto *f, uint64_t ns)
{
	int err = 0;

	for (size_t i = 0; !err && i < ARRAY_SIZE(counters); i++) {
		size_t packet, event;

		event = begin_event(f, ns, EVENT_COUNTER, uuid(COUNTER, 0, i), &packet);
		proto__uint(&f->packet, EVENT_VALUE, f->counts[i]);
		err = end_event(e, f, event, packet);
		f->counts[i] = 0;
	}
	return err;
}

/* Rows arrive in the order of their start, so the span is over when a row starts after it. */
static int count_row(struct export *e, const struct export_row *row)
{
	struct perfetto *f = e->own;
	uint64_t span = row->began_ns - row->began_ns % SPAN_NS, bytes;
	int err = 0;

	if (span > f->span) {
		err = write_counts(e, f, f->span);
		if (!err && span > f->span + SPAN_NS) /* nothing in between: zero */
			err = write_counts(e, f, f->span + SPAN_NS);
		f->span = span;
	}
	for (size_t i = 0; i < ARRAY_SIZE(counters); i++)
		if (counters[i].stream == row->stream &&
		    row__is(row, row__column(row->stream, "operation"), counters[i].operation) &&
		    row__uint(row, row__column(row->stream, counters[i].bytes), &bytes))
			f->counts[i] += bytes;
	return err;
}

/* ---- tracks ---- */

/* Whether this is the first time that track ID has NAME. */
static int is_new(struct export *e, uint64_t id, const struct row_field *name)
{
	uint64_t *known, hash = 1;
	int err = format__remember(e, uuid(NAME, id, 0), &known);

	if (err)
		return err;
	for (size_t i = 0; i < name->len; i++)
		hash = table__mix(hash, name->s[i]);
	if (*known == hash)
		return 0;
	*known = hash;
	return 1;
}

/* The name of the main thread is also that of the process. */
static int write_thread(struct export *e, const struct row_field *name, uint64_t pid, uint64_t tid)
{
	struct perfetto *f = e->own;
	uint64_t process = uuid(PROCESS, pid, 0);
	size_t packet, track = begin_track(f, process, 0, NULL, &packet), of;
	int err;

	of = proto__begin(&f->packet, TRACK_PROCESS);
	proto__uint(&f->packet, PROCESS_PID, pid);
	if (pid == tid)
		proto__bytes(&f->packet, PROCESS_NAME, name->s, name->len);
	proto__end(&f->packet, of);
	err = end_track(e, f, track, packet);
	if (err)
		return err;
	track = begin_track(f, uuid(THREAD, pid, tid), process, NULL, &packet);
	of = proto__begin(&f->packet, TRACK_THREAD);
	proto__uint(&f->packet, THREAD_PID, pid);
	proto__uint(&f->packet, THREAD_TID, tid);
	proto__bytes(&f->packet, THREAD_NAME, name->s, name->len);
	proto__end(&f->packet, of);
	return end_track(e, f, track, packet);
}

/* Returns the track of ROW's thread, which is written if it is new or has another name. */
static int thread_track(struct export *e, const struct export_row *row, uint64_t *ret)
{
	const struct row_field *name = &row->fields[row__column(STREAM_FS, "command")];
	uint64_t pid = 0, tid;
	int changed;

	row__uint(row, row__column(STREAM_FS, "pid"), &pid);
	if (!row__uint(row, row__column(STREAM_FS, "tid"), &tid))
		tid = pid;
	*ret = uuid(THREAD, pid, tid);
	changed = is_new(e, *ret, name);
	return changed > 0 ? write_thread(e, name, pid, tid) : changed;
}

static int device_track(struct export *e, const struct export_row *row, uint64_t *ret)
{
	const struct row_field *device = &row->fields[row__column(STREAM_BLOCK, "device")];
	uint64_t id = 0;
	char name[64];
	int changed;

	for (size_t i = 0; i < device->len; i++)
		id = table__mix(id, device->s[i]);
	*ret = uuid(DEVICE, id, 0);
	changed = is_new(e, *ret, device);
	if (changed <= 0)
		return changed;
	snprintf(name, sizeof(name), "block device %.*s", (int)device->len, device->s);
	return write_track(e, *ret, 0, name);
}

/* Finds the first lane of OF that is free at BEGAN, and takes it until ENDS. The first lane is OF
 * itself. Returns 1, 0 if there is none, or a negative errno. */
static int take_lane(struct export *e, uint64_t of, uint64_t began, uint64_t ends, uint64_t *ret)
{
	char name[32];

	for (uint64_t lane = 0; lane < LANES_MAX; lane++) {
		uint64_t *busy, id = lane ? uuid(LANE, of, lane) : of;
		int err = format__remember(e, id, &busy);

		if (err)
			return err;
		if (*busy > began)
			continue;
		if (!*busy && lane) {
			snprintf(name, sizeof(name), "concurrent %u", (unsigned int)lane);
			err = write_track(e, id, of, name);
		}
		*busy = ends;
		*ret = id;
		return err ? err : 1;
	}
	return 0;
}

/* ---- slices ---- */

static void annotate(struct proto *p, const struct column *c, const struct row_field *f)
{
	size_t begun = proto__begin(p, EVENT_ANNOTATION);
	uint64_t v;

	proto__text(p, ANNOTATION_NAME, c->name);
	if (schema__is_number(c->type) && field__uint(f->s, f->len, &v))
		proto__uint(p, ANNOTATION_UINT, v);
	else if (c->type == COL_INT && field__uint(f->s + 1, f->len - 1, &v))
		proto__uint(p, ANNOTATION_INT, -v);
	else
		proto__bytes(p, ANNOTATION_TEXT, f->s, f->len);
	proto__end(p, begun);
}

static int write_slice(struct export *e, const struct export_row *row, uint64_t track,
		       uint64_t ends)
{
	const struct stream_schema *schema = &schema_streams[row->stream];
	const struct row_field *name = &row->fields[row__column(row->stream, "operation")];
	const struct columns *c = &e->columns[row->stream];
	struct perfetto *f = e->own;
	size_t packet, event = begin_event(f, row->began_ns, EVENT_BEGIN, track, &packet);
	int err;

	proto__text(&f->packet, EVENT_CATEGORY, schema->key);
	proto__bytes(&f->packet, EVENT_NAME, name->s, name->len);
	for (size_t i = 0; i < c->n; i++)
		if (row->fields[c->at[i]].len)
			annotate(&f->packet, &schema->columns[c->at[i]], &row->fields[c->at[i]]);
	err = end_event(e, f, event, packet);
	if (err)
		return err;
	event = begin_event(f, ends, EVENT_END, track, &packet);
	return end_event(e, f, event, packet);
}

static int perfetto_begin(struct export *e, uint32_t streams)
{
	e->own = calloc(1, sizeof(struct perfetto));
	return e->own ? 0 : -ENOMEM;
}

static int perfetto_row(struct export *e, const struct export_row *row)
{
	struct perfetto *f = e->own;
	uint64_t ends = row->began_ns + format__duration_ns(row), track = 0;
	int err = 0;

	if (!e->first)
		err = write_head(e, row);
	if (strcmp(f->machine, row->machine) != 0) {
		e->why = "perfetto knows processes of one machine only: name its sessions";
		return -EINVAL;
	}
	if (!err)
		err = count_row(e, row);
	if (!err)
		err = row->stream == STREAM_BLOCK ? device_track(e, row, &track) :
						    thread_track(e, row, &track);
	if (!err)
		err = take_lane(e, track, row->began_ns, ends, &track);
	if (err <= 0)
		return err;
	e->rows++;
	return write_slice(e, row, track, ends);
}

static int perfetto_end(struct export *e)
{
	struct perfetto *f = e->own;
	int err = e->first ? write_counts(e, f, f->span) : 0;

	return !err && e->first ? write_counts(e, f, f->span + SPAN_NS) : err;
}

const struct format format_perfetto = {
	.name = "perfetto",
	.streams = 1 << STREAM_FS | 1 << STREAM_BLOCK,
	.lead = format__duration_ns,
	.begin = perfetto_begin,
	.row = perfetto_row,
	.end = perfetto_end,
};
