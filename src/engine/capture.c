// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/capture.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <syslog.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/csv.h"
#include "base/log.h"
#include "base/thread.h"
#include "engine/overload.h"
#include "platform/landlock.h"
#include "platform/macros.h"
#include "rows/column.h"
#include "rows/repeats.h"
#include "schema/schema.h"

/* The reader's polling interval in ms: short under load, long when idle, and such that a round has
 * thousands of records, since each round costs a context switch. A CPU that only executes the
 * fastest system call fills a ring of 16 MiB in 100 ms. The kernel wakes the reader when a quarter
 * of a buffer is full. */
#define WAIT_MIN_MS 2
#define WAIT_MAX_MS 100
#define ROUND_FEW 2000 /* records, including definitions, which may have 4 KiB each */
#define SETTLE_NS (NSEC_PER_SEC / 2)
/* Rows go to the writer after this time even if there are few: a quarter of the second that a crash
 * may lose, because reader and writer may have to wait for the CPU or the disk. */
#define FLUSH_NS (NSEC_PER_SEC / 4)

/* The operations shed first: the most frequent ones that change nothing. */
#define SHED_OPS (UINT64_C(1) << FS_GETATTR | UINT64_C(1) << FS_READDIR | UINT64_C(1) << FS_ACCESS)
#define FAST_LEVEL (-5)

/* Losses of a stream for one cause since the last row about them. */
struct loss {
	uint64_t reported, from_ns;
	uint64_t before, before_ns; /* the result of the last check, and its time */
};

struct account {
	struct chunk *chunk;
	uint64_t chunk_since; /* of its first row, or of those that are LEFT */
	bool left;            /* earlier chunks that are not in a hurry */
	atomic_uint_least64_t received, filtered, lost_queue;
	atomic_uint_least64_t lost_elsewhere; /* by other writers of rows of this stream */
	uint64_t queue_first_ns, queue_last_ns;
	struct loss queue, disk, missed;
	atomic_uint_least64_t missed_events; /* missed.reported, for other threads */
	atomic_uint_least64_t gaps;          /* gaps in which nothing was recorded */
};

struct capture {
	struct engine *engine;
	struct sink own;
	const struct sink *sink; /* own, or one that passes records on to it */
	struct keep *keep;
	struct latencies *latencies;
	struct repeats *repeats; /* or NULL */
	void (*ended)(void *arg);
	void *arg;
	struct writer *writer;
	struct clock *clock;
	struct encoder *encoder;
	struct account accounts[STREAM_COUNT];
	const struct selection *selection;
	/* record_kinds, but of streams that are off without their encoders. */
	struct record_kind kinds[RECORD_TYPES_MAX];
	bool may_shed;
	int step_fd; /* becomes readable when the wall clock is set; or negative */
	struct overload overload;
	uint64_t light_from_ns; /* of the first unreported step of overload.h; 0: none */
	uint64_t round_records;
	uint64_t second;                 /* the last time the once-a-second tasks were done */
	atomic_uint_least64_t rotate_ns; /* interval of rows of open connections; 0: none */
	uint64_t rotated;                /* the last time */
	bool flows_failed;
	atomic_uint_least64_t faults[FAULTS], paths_defined, tasks_defined, rounds;
	atomic_uint_least64_t unknown_extents[UNKNOWN_REASONS];
	atomic_uint fill_events, fill_definitions; /* percent, as of the last second */
	atomic_bool stop, rotate;
	/* The engine's counts when all of them had been received, after the end. A program that
	 * was at work while it was detached may count one more operation later, which is not
	 * recorded. */
	struct engine_counts last[STREAM_CAPTURED];
	atomic_bool settled;
	pthread_t thread;
	bool running;
	char row[ROW_MAX];
};

bool capture__encodes(enum stream stream)
{
	for (size_t i = 0; i < RECORD_TYPES_MAX; i++)
		if (record_kinds[i].encode && record_kinds[i].stream == stream)
			return true;
	return false;
}

/* Adds one to a counter that no other thread changes, without an instruction that locks the bus. */
static void count_one(atomic_uint_least64_t *n)
{
	atomic_store_explicit(n, atomic_load_explicit(n, memory_order_relaxed) + 1,
			      memory_order_relaxed);
}

/* ---- rows into chunks ---- */

static void hand_over(struct capture *c, struct account *a, bool hurry)
{
	if (a->chunk)
		a->left = !writer__put_chunk(c->writer, a->chunk, hurry);
	a->chunk = NULL;
}

static void hand_over_all(struct capture *c)
{
	for (int s = 0; s < STREAM_COUNT; s++)
		hand_over(c, &c->accounts[s], true);
}

static bool have_chunk(struct capture *c, enum stream stream, uint64_t ns)
{
	struct account *a = &c->accounts[stream];
	bool fresh;

	if (a->chunk)
		return true;
	a->chunk = writer__get_chunk(c->writer, stream);
	if (!a->left)
		a->chunk_since = clock__event_ns();
	if (a->chunk)
		return true;
	/* Rings are read one after the other: rows of one CPU may come after later ones of
	 * another. */
	fresh = atomic_load(&a->lost_queue) == a->queue.reported;
	if (fresh || ns < a->queue_first_ns)
		a->queue_first_ns = ns;
	if (fresh || ns > a->queue_last_ns)
		a->queue_last_ns = ns;
	count_one(&a->lost_queue);
	return false;
}

/* Whether a row of LEN bytes fits into CHUNK. */
static bool takes(const struct chunk *chunk, size_t len)
{
	return CHUNK_SIZE - chunk->len >= len && chunk->n_marks < CHUNK_MARKS;
}

/* Adds the row between the end of CHUNK and END. Its mark is in place. */
static void account_row(struct chunk *chunk, const char *end, uint64_t ns)
{
	size_t len = end - chunk->data - chunk->len;

	if (MARKED_STREAMS >> chunk->stream & 1) {
		if (len > ROW_MARKED_MAX)
			chunk->marks[chunk->n_marks].end[PART_MONO] = 0;
		chunk->n_marks++;
	}
	chunk->len += len;
	if (!chunk->rows || ns < chunk->first_ns)
		chunk->first_ns = ns;
	if (!chunk->rows || ns > chunk->last_ns)
		chunk->last_ns = ns;
	chunk->rows++;
}

/* Adds a finished row. */
static void add_row(struct capture *c, enum stream stream, const char *row, size_t len, uint64_t ns)
{
	struct account *a = &c->accounts[stream];

	if (a->chunk && !takes(a->chunk, len))
		hand_over(c, a, false);
	if (!have_chunk(c, stream, ns))
		return;
	if (MARKED_STREAMS >> stream & 1)
		a->chunk->marks[a->chunk->n_marks] = c->encoder->mark_apart;
	account_row(a->chunk, csv__mem(a->chunk->data + a->chunk->len, row, len), ns);
}

static void on_event(void *arg, const void *record, size_t size)
{
	struct capture *c = arg;
	const struct record_kind *kind = &c->kinds[*(const uint8_t *)record % RECORD_TYPES_MAX];
	enum stream stream = kind->stream;
	struct account *a = &c->accounts[stream];
	/* Every event has its time of completion at the same offset. */
	uint64_t ns = ((const struct rec_fs *)record)->ns;
	char *end;

	c->round_records++;
	if (!kind->encode || !encode__sound(record, size)) {
		c->encoder->faults[FAULT_RECORD]++;
		return;
	}
	count_one(&a->received);
	if (c->repeats && repeats__has(c->repeats, record)) {
		count_one(&a->filtered);
		return;
	}
	if (!encode__is_short(c->encoder, kind, record) ||
	    (a->chunk && !takes(a->chunk, ROW_SHORT_MAX))) {
		c->encoder->mark = &c->encoder->mark_apart;
		end = kind->encode(c->encoder, record, size, c->row);
		if (end)
			add_row(c, stream, c->row, end - c->row, ns);
	} else {
		if (!have_chunk(c, stream, ns))
			return;
		c->encoder->mark = &a->chunk->marks[a->chunk->n_marks];
		end = kind->encode(c->encoder, record, size, a->chunk->data + a->chunk->len);
		if (end)
			account_row(a->chunk, end, ns);
	}
	if (!end)
		count_one(&a->filtered);
	else if (c->latencies)
		latencies__add(c->latencies, record);
}

static void forget_if_full(struct capture *c)
{
	if (encoder__forget(c->encoder))
		engine__forget(c->engine);
}

static void on_definition(void *arg, const void *record, size_t size)
{
	struct capture *c = arg;

	c->round_records++;
	if (encode__sound(record, size))
		encoder__define(c->encoder, record, size);
	else
		c->encoder->faults[FAULT_RECORD]++;
	forget_if_full(c);
}

static void on_expected(void *arg, const void *place)
{
	struct capture *c = arg;

	encoder__expect(c->encoder, place);
}

static void on_clock(void *arg, uint64_t mono_ns, int64_t offset_ns)
{
	struct capture *c = arg;

	clock__retell(c->clock, mono_ns, offset_ns);
}

/* ---- the lost stream ---- */

static void tell_loss(struct capture *c, enum stream stream, const char *cause, uint64_t count,
		      uint64_t from, uint64_t to, int cpu)
{
	uint64_t now = clock__event_ns();
	char *p = encode__begin(c->encoder, STREAM_LOST, now, c->row);

	COLUMN(p, "stream");
	p = encode__word(p, schema_streams[stream].key);
	COLUMN(p, "cause");
	p = encode__word(p, cause);
	COLUMN(p, "count");
	p = csv__u64(p, count);
	COLUMN(p, "from_mono_ns");
	p = csv__u64(p, from);
	COLUMN(p, "to_mono_ns");
	p = csv__u64(p, to);
	COLUMN(p, "cpu_id");
	if (cpu >= 0)
		p = csv__u64(p, cpu);
	p = encode__end(c->encoder, now, p);
	count_one(&c->accounts[STREAM_LOST].received);
	add_row(c, STREAM_LOST, c->row, p - c->row, now);
}

static void on_loss(void *arg, const struct engine_loss *l)
{
	struct capture *c = arg;
	uint64_t now = clock__event_ns();

	if (l->cause == ENGINE_LOST) {
		tell_loss(c, l->stream, "ring", l->count, l->from_ns, l->to_ns, l->cpu);
	} else if (l->cause == ENGINE_GAP) {
		tell_loss(c, l->stream, "missed", l->count, l->from_ns, l->to_ns, l->cpu);
		atomic_fetch_add(&c->accounts[l->stream].gaps, l->count);
	} else {
		tell_loss(c, l->stream, "shed", l->count, c->light_from_ns ?: now, now, l->cpu);
	}
}

/* Reports the cost of --on-overload=lighten since the last time, other than rows: one row for each
 * stream, although those of MARKED_STREAMS are compressed as before. */
static void tell_shedding(struct capture *c, uint64_t now)
{
	if (!c->light_from_ns)
		return;
	for (int s = 0; s < STREAM_CAPTURED; s++)
		if (selection__stream(c->selection, s))
			tell_loss(c, s, "compression", 0, c->light_from_ns, now, -1);
	c->light_from_ns = c->overload.step ? now : 0;
}

/* Reports events for which no program ran. How many rows they would have made is unknown, so they
 * are not in the counts of rows. A standby program may still record an event that the first one
 * missed: before the END, only what two consecutive checks find missing counts. */
static void tell_missed(struct capture *c, uint64_t now, bool end)
{
	uint64_t missed[STREAM_CAPTURED] = { 0 };

	engine__missed(c->engine, missed);
	for (int s = 0; s < STREAM_CAPTURED; s++) {
		struct loss *l = &c->accounts[s].missed;
		uint64_t sure = end || missed[s] < l->before ? missed[s] : l->before;

		if (sure > l->reported) {
			tell_loss(c, s, "missed", sure - l->reported, l->from_ns, now, -1);
			l->reported = sure;
			atomic_store(&c->accounts[s].missed_events, sure);
		}
		l->from_ns = l->before_ns;
		l->before = missed[s];
		l->before_ns = now;
	}
}

static void tell_losses(struct capture *c, uint64_t now, bool end)
{
	tell_missed(c, now, end);
	engine__losses(c->engine, on_loss, c);
	tell_shedding(c, now);
	for (int s = 0; s < STREAM_COUNT; s++) {
		struct account *a = &c->accounts[s];
		uint64_t queue = atomic_load(&a->lost_queue), disk;
		struct writer_stream_stats stats;

		if (s == STREAM_LOST)
			continue; /* its own losses are in the manifest */
		if (queue != a->queue.reported) {
			uint64_t n = queue - a->queue.reported;

			a->queue.reported = queue;
			tell_loss(c, s, "queue", n, a->queue_first_ns, a->queue_last_ns, -1);
		}
		writer__stats(c->writer, s, &stats);
		disk = stats.lost_disk_rows + atomic_load(&a->lost_elsewhere);
		if (disk != a->disk.reported) {
			tell_loss(c, s, "disk", disk - a->disk.reported, a->disk.from_ns, now, -1);
			a->disk.reported = disk;
		}
		a->disk.from_ns = now;
	}
}

/* ---- rounds ---- */

/* A quarter of a buffer is reserved for records that arrive until it has been read. */
#define NEARLY_FULL 75

/* An engine that can wait fills this much of the queue. */
#define PATIENT_FILL 50

/* The engine's buffers hold rows too: if the queue is full but they are not nearly full, nothing
 * has to be lost yet. */
static bool can_wait(struct capture *c)
{
	struct engine_fill fill;

	if (c->engine->type->patient)
		return writer__fill(c->writer) > PATIENT_FILL;
	if (!writer__busy(c->writer))
		return false;
	fill = engine__fill(c->engine);
	return fill.events <= NEARLY_FULL && fill.definitions <= NEARLY_FULL;
}

static unsigned int fullest(struct capture *c)
{
	unsigned int queue = writer__fill(c->writer);

	return MAX(queue, engine__fill(c->engine).events);
}

static void shed(struct capture *c)
{
	uint64_t now = clock__event_ns();
	enum overload_step before = c->overload.step, step;

	if (!overload__look(&c->overload, fullest(c), now))
		return;
	step = c->overload.step;
	if (!before && !c->light_from_ns)
		c->light_from_ns = now;
	writer__set_level(c->writer, step >= OVERLOAD_COMPRESSION ? FAST_LEVEL : WRITER_LEVEL);
	engine__shed(c->engine, step >= OVERLOAD_SHED ? SHED_OPS & c->selection->ops : 0);
}

/* Drains the engine; rows for which the queue has no room are lost. */
static void drain(struct capture *c)
{
	engine__mark(c->engine);
	/* A step of the wall clock must be known before the rows that follow it. */
	clock__poll(c->clock, clock__event_ns());
	if (c->keep)
		keep__clock(c->keep, c->clock);
	engine__drain(c->engine, c->sink);
	encoder__end_round(c->encoder);
	forget_if_full(c);
	for (int i = 0; i < FAULTS; i++)
		atomic_store_explicit(&c->faults[i], c->encoder->faults[i], memory_order_relaxed);
	atomic_store_explicit(&c->paths_defined, c->encoder->paths_defined, memory_order_relaxed);
	atomic_store_explicit(&c->tasks_defined, c->encoder->tasks_defined, memory_order_relaxed);
	for (int i = 0; i < UNKNOWN_REASONS; i++)
		atomic_store_explicit(&c->unknown_extents[i], c->encoder->extents_unknown[i],
				      memory_order_relaxed);
}

static void one_round(struct capture *c)
{
	c->round_records = 0;
	if (c->may_shed)
		shed(c);
	if (!can_wait(c))
		drain(c);
}

static void note_fill(struct capture *c)
{
	struct engine_fill fill = engine__fill(c->engine);

	atomic_store(&c->fill_events, fill.events);
	atomic_store(&c->fill_definitions, fill.definitions);
}

/* Makes rows of the open connections. */
static void tell_flows(struct capture *c, enum flow_event event, uint64_t now)
{
	int err = engine__flows(c->engine, event, c->sink);

	if (err && !c->flows_failed)
		log__line(LOG_WARNING, "open connections have no rows from now on: %s",
			  strerror(-err));
	c->flows_failed |= err != 0;
	if (event == FLOW_ROTATION)
		c->rotated = now;
}

/* With --slow, makes rows of the calls that have not ended. */
static void tell_unfinished(struct capture *c)
{
	int err = engine__unfinished(c->engine, c->sink);

	if (err)
		log__line(LOG_WARNING, "calls in progress have no rows: %s", strerror(-err));
}

static void chores(struct capture *c, uint64_t now)
{
	uint64_t rotate_ns = atomic_load_explicit(&c->rotate_ns, memory_order_relaxed);

	clock__noticed(c->step_fd);
	clock__poll(c->clock, now);
	if (rotate_ns && now - c->rotated >= rotate_ns)
		tell_flows(c, FLOW_ROTATION, now);
	if (atomic_exchange(&c->rotate, false)) {
		tell_flows(c, FLOW_ROTATION, now);
		hand_over_all(c);
		writer__rotate(c->writer);
	}
	/* Rows wait at most this long for more rows. */
	for (int s = 0; s < STREAM_COUNT; s++)
		if (c->accounts[s].chunk && now - c->accounts[s].chunk_since >= FLUSH_NS)
			hand_over(c, &c->accounts[s], true);
	if (now - c->second < NSEC_PER_SEC)
		return;
	c->second = now;
	note_fill(c);
	tell_flows(c, FLOW_END, now);
	mounts__refresh(c->encoder->mounts);
	tell_losses(c, now, false);
}

/* Whether everything that the engine has counted was received. If so, keeps these counts. */
static bool settled(struct capture *c)
{
	for (int s = 0; s < STREAM_CAPTURED; s++) {
		struct engine_counts *n = &c->last[s];

		engine__counts(c->engine, s, n);
		if (n->seen - n->filtered - n->lost - n->shed !=
		    atomic_load(&c->accounts[s].received))
			return false;
	}
	atomic_store(&c->settled, true);
	return true;
}

static void *read_records(void *arg)
{
	struct capture *c = arg;
	int wait_ms = WAIT_MIN_MS;
	uint64_t begun;

	landlock__enter();
	while (!atomic_load_explicit(&c->stop, memory_order_relaxed)) {
		one_round(c);
		chores(c, clock__event_ns());
		count_one(&c->rounds);
		wait_ms = c->round_records < ROUND_FEW ? MIN(2 * wait_ms, WAIT_MAX_MS) :
							 MAX(wait_ms / 2, WAIT_MIN_MS);
		if (c->ended && engine__ended(c->engine)) {
			c->ended(c->arg);
			c->ended = NULL;
		}
		engine__wait(c->engine, wait_ms);
	}
	tell_flows(c, FLOW_STOP, clock__event_ns());
	tell_unfinished(c);
	engine__detach(c->engine);
	/* Programs that were running when they were detached still finish. */
	begun = clock__event_ns();
	do {
		one_round(c);
		if (settled(c))
			break;
		usleep(1000);
	} while (clock__event_ns() - begun < SETTLE_NS);
	if (!atomic_load(&c->settled)) { /* the writer was busy all the time */
		drain(c);
		settled(c);
	}
	tell_losses(c, clock__event_ns(), true);
	hand_over_all(c);
	return NULL;
}

static void choose_kinds(struct capture *c)
{
	memcpy(c->kinds, record_kinds, sizeof(c->kinds));
	for (size_t i = 0; i < RECORD_TYPES_MAX; i++)
		if (!selection__stream(c->selection, c->kinds[i].stream))
			c->kinds[i].encode = NULL;
}

int capture__new(struct capture **ret, const struct capture_setup *setup)
{
	struct capture *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return -ENOMEM;
	c->engine = setup->engine;
	c->writer = setup->writer;
	c->clock = setup->encoder.clock;
	c->selection = setup->encoder.selection;
	choose_kinds(c);
	c->may_shed = setup->shed;
	c->keep = setup->keep;
	c->latencies = setup->latencies;
	c->ended = setup->ended;
	c->arg = setup->arg;
	c->second = c->rotated = clock__event_ns();
	c->rotate_ns = setup->rotate_s * NSEC_PER_SEC;
	c->step_fd = clock__watch();
	if (c->step_fd >= 0)
		engine__watch(c->engine, c->step_fd);
	c->own = (struct sink){
		.define = on_definition,
		.event = on_event,
		.expect = on_expected,
		.clock = on_clock,
		.arg = c,
	};
	c->sink = c->keep ? keep__sink(c->keep, &c->own) : &c->own;
	err = encoder__new(&c->encoder, &setup->encoder);
	if (!err && setup->distinct)
		err = repeats__new(&c->repeats);
	for (int s = 0; s < STREAM_COUNT; s++)
		c->accounts[s].disk.from_ns = c->accounts[s].missed.from_ns =
			c->accounts[s].missed.before_ns = c->second;
	if (!err)
		err = thread__start(&c->thread, "iotrc-reader", read_records, c);
	if (err) {
		capture__free(c);
		return err;
	}
	c->running = true;
	*ret = c;
	return 0;
}

void capture__rotate(struct capture *c)
{
	atomic_store(&c->rotate, true);
}

void capture__set_rotation(struct capture *c, uint32_t seconds)
{
	atomic_store(&c->rotate_ns, seconds * NSEC_PER_SEC);
}

struct engine_fill capture__fill(struct capture *c)
{
	return (struct engine_fill){ .events = atomic_load(&c->fill_events),
				     .definitions = atomic_load(&c->fill_definitions) };
}

uint64_t capture__missed(struct capture *c, enum stream stream)
{
	return atomic_load(&c->accounts[stream].missed_events) +
	       atomic_load(&c->accounts[stream].gaps);
}

uint64_t capture__rounds(struct capture *c)
{
	return atomic_load_explicit(&c->rounds, memory_order_relaxed);
}

void capture__stop(struct capture *c)
{
	if (!c->running)
		return;
	atomic_store(&c->stop, true);
	clock__wake(c->step_fd);
	pthread_join(c->thread, NULL);
	c->running = false;
}

void capture__tell_last(struct capture *c)
{
	tell_losses(c, clock__event_ns(), true);
	hand_over_all(c);
}

struct capture *capture__free(struct capture *c)
{
	if (!c)
		return NULL;
	capture__stop(c);
	encoder__free(c->encoder);
	repeats__free(c->repeats);
	if (c->step_fd >= 0)
		close(c->step_fd);
	free(c);
	return NULL;
}

void capture__counts(struct capture *c, enum stream stream, struct row_counts *ret)
{
	struct account *a = &c->accounts[stream];
	struct writer_stream_stats stats;

	memset(ret, 0, sizeof(*ret));
	if (stream < STREAM_CAPTURED) {
		struct engine_counts n;

		if (atomic_load(&c->settled))
			n = c->last[stream];
		else
			engine__counts(c->engine, stream, &n);
		ret->seen = n.seen;
		ret->filtered = n.filtered;
		ret->lost[LOST_RING] = n.lost;
		ret->lost[LOST_SHED] = n.shed;
	} else {
		ret->seen = atomic_load(&a->received);
	}
	writer__stats(c->writer, stream, &stats);
	ret->filtered += atomic_load(&a->filtered);
	ret->lost[LOST_QUEUE] = atomic_load(&a->lost_queue);
	ret->lost[LOST_DISK] = stats.lost_disk_rows;
	ret->written = stats.written_rows;
}

void capture__set_lost(struct capture *c, enum stream stream, uint64_t rows)
{
	atomic_store(&c->accounts[stream].lost_elsewhere, rows);
}

void capture__definitions(struct capture *c, uint64_t *ret_paths, uint64_t *ret_tasks)
{
	*ret_paths = atomic_load(&c->paths_defined);
	*ret_tasks = atomic_load(&c->tasks_defined);
}

void capture__unknown_extents(struct capture *c, uint64_t ret[UNKNOWN_REASONS])
{
	for (int i = 0; i < UNKNOWN_REASONS; i++)
		ret[i] = atomic_load(&c->unknown_extents[i]);
}

uint64_t capture__faults(struct capture *c, uint64_t ret[FAULTS])
{
	uint64_t sum = 0;

	for (int i = 0; i < FAULTS; i++)
		sum += ret[i] = atomic_load(&c->faults[i]);
	return sum;
}

void capture__matched(const struct capture *c, struct matched *ret)
{
	*ret = c->encoder->matched;
}
