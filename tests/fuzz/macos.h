/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A source of the macOS engines that is fed text and whose records go into an encoder. */
#ifndef IOTRC_FUZZ_MACOS_H
#define IOTRC_FUZZ_MACOS_H

#include "encoding.h"
#include "engine/macos/state.h"

struct fed {
	struct macos all; /* its first source is fed */
	struct encoder *encoder;
	struct clock *clock;
	char *text; /* the input without its first byte, with a NUL behind it */
	size_t size;
};

/* Begins an input of SIZE bytes for a source of KIND that waits for CPUS CPUs. F is reused by the
 * next input. Returns false if there is nothing to do. */
static inline bool fed__begin(struct fed *f, const uint8_t *data, size_t size,
			      const struct source_kind *kind, unsigned int cpus)
{
	static struct memory_plan plan = {
		.paths_max = 64, .paths_bytes = 1 << 16, .tasks_max = 64, .tasks_bytes = 1 << 16
	};
	static const struct selection selection = { .streams = 7, .ops = ALL_OPS };
	static struct sink sink = { .define = encoding__define, .event = encoding__event };
	struct encoder_config c = { .selection = &selection, .memory = &plan };
	struct source *s = f->all.sources;

	f->text = size ? malloc(size) : NULL;
	if (!f->text || clock__new(&c.clock) || encoder__new(&f->encoder, &c) ||
	    mounts__new(&f->all.mounts) || order__new(&s->order, cpus) ||
	    process_table__new(&s->processes)) {
		free(f->text);
		return false;
	}
	f->clock = c.clock;
	f->size = size - 1;
	memcpy(f->text, data + 1, f->size);
	f->text[f->size] = 0;
	sink.arg = &f->encoder;
	f->all.selection = &selection;
	f->all.sink = &sink;
	f->all.epoch++;
	*s = (struct source){
		.all = &f->all, .kind = kind, .order = s->order, .processes = s->processes
	};
	return true;
}

/* Ends an input. Each event's definitions have preceded it. */
static inline void fed__end(struct fed *f)
{
	if (f->encoder->faults[FAULT_RECORD] || f->encoder->faults[FAULT_THREAD] ||
	    f->encoder->faults[FAULT_FILE])
		abort();
	order__free(f->all.sources->order);
	process_table__free(f->all.sources->processes);
	mounts__free(f->all.mounts);
	encoder__free(f->encoder);
	clock__free(f->clock);
	free(f->text);
}

#endif
