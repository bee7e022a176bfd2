// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines and messages of DTrace, or anything else in their place: the resulting records are valid,
 * and are encoded as the reader would. The first byte selects the script and the numbering. */
#include "encoding.h"
#include "engine/macos/dtrace_line.h"
#include "engine/macos/dtrace_said.h"
#include "engine/macos/state.h"
#include "platform/macros.h"

static struct encoder *encoder;

static const struct source_kind kinds[] = {
	{ .stream = STREAM_FS, .take = macos__call },
	{ .stream = STREAM_BLOCK, .take = macos__block },
	{ .stream = STREAM_NW_CONN, .take = macos__socket },
};

static void take(struct source *s, const struct call_line *l)
{
	if (!strcmp(l->name, "task"))
		macos__take_task(s, l);
	else
		s->kind->take(s, l);
}

/* Each line, and then all in the order of time. */
static void feed(struct source *s, char *text, size_t size)
{
	const struct call_line *next;
	struct call_line l;
	char *end = text + size;

	while (text < end) {
		char *lf = memchr(text, '\n', end - text), *stop = lf ? lf : end;

		if (dtrace_line__parse(&l, text, stop - text) &&
		    order__put(s->order, &l, text, stop - text))
			abort();
		text = stop + 1;
	}
	while ((next = order__next(s->order, true)))
		take(s, next);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct memory_plan plan = {
		.paths_max = 64, .paths_bytes = 1 << 16, .tasks_max = 64, .tasks_bytes = 1 << 16
	};
	static const struct selection selection = { .streams = 7, .ops = ALL_OPS };
	static const struct sink sink = { .define = encoding__define,
					  .event = encoding__event,
					  .arg = &encoder };
	static struct macos d;
	struct encoder_config c = { .selection = &selection, .memory = &plan };
	struct source *s = d.sources;
	char *text = malloc(size + 1);

	if (!size || !text || clock__new(&c.clock) || encoder__new(&encoder, &c) ||
	    mounts__new(&d.mounts) || order__new(&s->order, 2) ||
	    process_table__new(&s->processes)) {
		free(text);
		return 0;
	}
	d.selection = &selection;
	d.sink = &sink;
	d.is_darwin = data[0] & 4;
	d.epoch++;
	*s = (struct source){ .all = &d,
			      .kind = &kinds[(data[0] & 3) % ARRAY_SIZE(kinds)],
			      .order = s->order,
			      .processes = s->processes };
	memcpy(text, data + 1, size - 1);
	text[size - 1] = 0;
	dtrace_said__parse(text);
	feed(s, text, size - 1);
	/* Each event's definitions precede it. */
	if (encoder->unnamed)
		abort();
	order__free(s->order);
	process_table__free(s->processes);
	mounts__free(d.mounts);
	encoder__free(encoder);
	clock__free(c.clock);
	free(text);
	return 0;
}
