// SPDX-License-Identifier: GPL-2.0-or-later
/* strace's output, or anything else in its place: the resulting records are valid, and are encoded
 * as the reader would. */
#include "encoding.h"
#include "engine/engine.h"

static struct encoder *encoder;

static void tell(void *arg, const char *text)
{
	if (!*text)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct memory_plan plan = {
		.paths_max = 64, .paths_bytes = 1 << 16, .tasks_max = 64, .tasks_bytes = 1 << 16
	};
	static const struct selection selection = { .streams = 1 << STREAM_FS, .ops = ALL_OPS };
	static const struct sink sink = { .define = encoding__define,
					  .event = encoding__event,
					  .arg = &encoder };
	char name[32], problem[ENGINE_PROBLEM_MAX];
	struct engine_config config = { .selection = &selection, .memory = &plan, .file = name };
	struct encoder_config c = { .selection = &selection, .memory = &plan };
	struct engine *e;
	int fd = fuzz__file(data, size);

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	if (clock__new(&c.clock) || encoder__new(&encoder, &c) ||
	    engine__open(&e, &engine_strace, &config, problem))
		abort();
	while (!engine__ended(e)) {
		engine__mark(e);
		engine__drain(e, &sink);
		engine__forget(e);
	}
	engine__detach(e);
	engine__drain(e, &sink);
	engine__gaps(e, tell, NULL);
	/* Each event's definitions precede it. */
	if (encoder->faults[FAULT_RECORD] || encoder->faults[FAULT_THREAD] ||
	    encoder->faults[FAULT_FILE])
		abort();
	encoder__free(encoder);
	clock__free(c.clock);
	engine__free(e);
	close(fd);
	return 0;
}
