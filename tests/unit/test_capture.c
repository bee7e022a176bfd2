// SPDX-License-Identifier: GPL-2.0-or-later
/* The counts of a recording, with an engine that behaves as a kernel can: a program that was
 * running when it was detached counts its operation after everything has been read. And one that
 * delivers what it was not asked for. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "dataset/memory.h"
#include "dataset/writer.h"
#include "engine/capture.h"
#include "engine/engine.h"
#include "rows/operation.h"
#include "schema/fs_ops.h"

static atomic_int looks; /* reads of fs' count after the end */
static atomic_bool detached;
static atomic_uint_least64_t before; /* operations that end before the end */

static void nothing(struct engine *e)
{
}

static void drain_nothing(struct engine *e, const struct sink *sink)
{
}

static void wait_little(struct engine *e, int timeout_ms)
{
	usleep(1000);
}

static struct engine_fill fill(struct engine *e)
{
	return (struct engine_fill){ 0 };
}

static void counts(struct engine *e, enum stream stream, struct engine_counts *ret)
{
	if (stream != STREAM_FS)
		return;
	ret->seen = ret->filtered = atomic_load(&before);
	if (atomic_load(&detached) && atomic_fetch_add(&looks, 1))
		ret->seen++;
}

static void detach(struct engine *e)
{
	atomic_store(&detached, true);
}

static void losses(struct engine *e, engine_loss_fn tell, void *arg)
{
}

static const struct engine_type type = {
	.name = "late",
	.mark = nothing,
	.drain = drain_nothing,
	.wait = wait_little,
	.fill = fill,
	.counts = counts,
	.losses = losses,
	.forget = nothing,
	.detach = detach,
};

/* A recording of fs by ENGINE. */
struct recording {
	struct selection selection;
	struct memory_plan plan;
	char dir[sizeof("/tmp/iotrc-capture-XXXXXX")];
	struct writer_config writing;
	struct capture_setup setup;
	struct capture *capture;
};

static void begin(struct recording *r, struct engine *engine)
{
	*r = (struct recording){ .selection = { .ops = ALL_OPS, .streams = 1u << STREAM_FS },
				 .dir = "/tmp/iotrc-capture-XXXXXX",
				 .writing = { .level = 1 },
				 .setup = { .engine = engine } };
	cr_assert(mkdtemp(r->dir));
	r->writing.session_fd = open(r->dir, O_RDONLY | O_DIRECTORY);
	memory__plan(&r->plan, 0, 1);
	r->writing.queue_chunks = r->plan.queue_chunks;
	cr_assert_eq(writer__new(&r->setup.writer, &r->writing), 0);
	cr_assert_eq(clock__new(&r->setup.encoder.clock), 0);
	r->setup.encoder.selection = &r->selection;
	r->setup.encoder.memory = &r->plan;
	cr_assert_eq(capture__new(&r->capture, &r->setup), 0);
}

/* It has written no file. */
static void end(struct recording *r)
{
	capture__free(r->capture);
	writer__free(r->setup.writer);
	clock__free(r->setup.encoder.clock);
	close(r->writing.session_fd);
	cr_assert_eq(rmdir(r->dir), 0);
}

Test(capture, what_comes_after_the_end_is_in_no_count)
{
	struct engine engine = { &type };
	struct recording r;
	struct row_counts n;

	begin(&r, &engine);
	atomic_store(&before, 17);
	capture__counts(r.capture, STREAM_FS, &n);
	cr_assert_eq(n.seen, 17);
	capture__stop(r.capture);
	cr_assert_eq(writer__close(r.setup.writer), 0);
	for (int i = 0; i < 2; i++) {
		capture__counts(r.capture, STREAM_FS, &n);
		cr_assert_eq(n.seen, 17);
		cr_assert_eq(n.filtered, 17);
	}
	end(&r);
}

static void drain_another_stream(struct engine *e, const struct sink *sink)
{
	static const struct rec_block block = { .type = REC_BLOCK, .ns = 1 };

	sink->event(sink->arg, &block, sizeof(block));
}

Test(capture, a_stream_that_is_off_gets_no_rows)
{
	struct engine_type other = type;
	struct engine engine = { &other };
	struct recording r;
	struct row_counts n;
	uint64_t faults[FAULTS] = { 0 };

	other.drain = drain_another_stream;
	begin(&r, &engine);
	while (!faults[FAULT_RECORD]) {
		usleep(1000);
		capture__faults(r.capture, faults);
	}
	capture__stop(r.capture);
	cr_assert_eq(writer__close(r.setup.writer), 0);
	capture__counts(r.capture, STREAM_BLOCK, &n);
	cr_assert_eq(n.seen + n.written + n.filtered, 0);
	end(&r);
}
