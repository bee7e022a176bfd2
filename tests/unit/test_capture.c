// SPDX-License-Identifier: GPL-2.0-or-later
/* The counts of a recording, with an engine that behaves as a kernel can: a program that was
 * running when it was detached counts its operation after everything has been read. */
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

Test(capture, what_comes_after_the_end_is_in_no_count)
{
	struct engine engine = { &type };
	struct selection selection = { .ops = ALL_OPS, .streams = 1u << STREAM_FS };
	struct memory_plan plan;
	char dir[] = "/tmp/iotrc-capture-XXXXXX";
	struct writer_config writing = { .level = 1 };
	struct capture_setup setup = { .engine = &engine };
	struct capture *capture;
	struct row_counts n;

	cr_assert(mkdtemp(dir));
	writing.session_fd = open(dir, O_RDONLY | O_DIRECTORY);
	memory__plan(&plan, 0, 1);
	writing.queue_chunks = plan.queue_chunks;
	cr_assert_eq(writer__new(&setup.writer, &writing), 0);
	cr_assert_eq(clock__new(&setup.encoder.clock), 0);
	setup.encoder.selection = &selection;
	setup.encoder.memory = &plan;
	cr_assert_eq(capture__new(&capture, &setup), 0);
	atomic_store(&before, 17);
	capture__counts(capture, STREAM_FS, &n);
	cr_assert_eq(n.seen, 17);
	capture__stop(capture);
	cr_assert_eq(writer__close(setup.writer), 0);
	for (int i = 0; i < 2; i++) {
		capture__counts(capture, STREAM_FS, &n);
		cr_assert_eq(n.seen, 17);
		cr_assert_eq(n.filtered, 17);
	}
	capture__free(capture);
	writer__free(setup.writer);
	clock__free(setup.encoder.clock);
	close(writing.session_fd);
	cr_assert_eq(rmdir(dir), 0);
}
