// SPDX-License-Identifier: GPL-2.0-or-later
/* A file of --keep-records: all of it, or what follows a valid head. The resulting records are
 * encoded as the reader would. */
#include "engine/kept.h"
#include "encoding.h"
#include "engine/engine.h"

static struct encoder *encoder;
static struct clock *clock_;

static void define(void *arg, const void *record, size_t size)
{
	if (encode__sound(record, size))
		encoder__define(encoder, record, size);
}

static void event(void *arg, const void *record, size_t size)
{
	uint8_t type = *(const uint8_t *)record;

	if (!encode__sound(record, size) || type >= RECORD_TYPES_MAX || !record_kinds[type].encode)
		return;
	encoding__row(encoder, record, size);
}

static void tell_clock(void *arg, uint64_t mono_ns, int64_t offset_ns)
{
	clock__retell(clock_, mono_ns, offset_ns);
}

static void begin(const struct engine_config *config, const struct reqnames *names)
{
	struct encoder_config c = { .selection = config->selection,
				    .memory = config->memory,
				    .request_names = names };

	if (clock__new(&clock_))
		abort();
	c.clock = clock_;
	if (encoder__new(&encoder, &c))
		abort();
}

static int file_of(const uint8_t *data, size_t size)
{
	struct kept_head head = { .magic = KEPT_MAGIC,
				  .version = KEPT_VERSION,
				  .order = KEPT_ORDER };
	int fd;

	if (size && *data & 1)
		return fuzz__file(data + 1, size - 1);
	memcpy(head.sizes, kept_sizes, sizeof(head.sizes));
	fd = fuzz__file(&head, sizeof(head));
	if (size && write_all(fd, data + 1, size - 1, sizeof(head)))
		abort();
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct memory_plan plan = {
		.paths_max = 64, .paths_bytes = 1 << 16, .tasks_max = 64, .tasks_bytes = 1 << 16
	};
	static const struct selection selection = { .streams = ~0u,
						    .ops = ALL_OPS,
						    .scope_all = true };
	static const struct sink sink = { .define = define, .event = event, .clock = tell_clock };
	char name[32], problem[ENGINE_PROBLEM_MAX];
	struct engine_config config = { .selection = &selection, .memory = &plan, .file = name };
	struct engine *e;
	int fd = file_of(data, size);

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	if (!engine__open(&e, &engine_replay, &config, problem)) {
		begin(&config, engine__request_names(e));
		while (!engine__ended(e)) {
			engine__mark(e);
			engine__drain(e, &sink);
			engine__forget(e);
		}
		encoder__free(encoder);
		clock__free(clock_);
		engine__free(e);
	}
	close(fd);
	return 0;
}
