// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines of fs_usage and of eslogger, or what says it is: what is taken apart lies in the line, and
 * what comes out is sound, and goes into an encoder, as the reader has it. The first byte says
 * whose lines they are. */
#include "engine/macos/fs_usage.h"
#include "encoding.h"
#include "engine/macos/eslogger.h"
#include "engine/macos/fs_usage_line.h"
#include "platform/macros.h"

static struct encoder *encoder;

static const struct source_kind kinds[] = {
	{ .stream = STREAM_FS, .read = fs_usage__read, .take = fs_usage__take },
	{ .stream = STREAM_FS, .read = eslogger__read, .take = eslogger__take },
};

static void check_line(const char *s, size_t len)
{
	static size_t column;
	struct fs_usage_line l;

	if (!fs_usage_line__parse(&l, &column, s, len))
		return;
	if ((l.path_len && (l.path < s || l.path + l.path_len > s + len)) || l.command < s ||
	    l.command + l.command_len > s + len || strlen(l.call) >= sizeof(l.call))
		abort();
}

static void feed(struct source *s, char *text, size_t size)
{
	const struct call_line *next;
	char *end = text + size;

	while (text < end) {
		char *lf = memchr(text, '\n', end - text), *stop = lf ? lf : end;

		check_line(text, stop - text);
		s->kind->read(s, text, stop - text);
		text = stop + 1;
	}
	while ((next = order__next(s->order, true)))
		s->kind->take(s, next);
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
	static struct fs_usage own;
	static struct macos d;
	struct encoder_config c = { .selection = &selection, .memory = &plan };
	struct source *s = d.sources;
	char *text = malloc(size + 1);

	if (!own.threads)
		own.threads = thread_map__new();
	if (!size || !text || !own.threads || clock__new(&c.clock) || encoder__new(&encoder, &c) ||
	    mounts__new(&d.mounts) || order__new(&s->order, 1) ||
	    process_table__new(&s->processes)) {
		free(text);
		return 0;
	}
	d.selection = &selection;
	d.sink = &sink;
	d.is_darwin = true;
	d.own = &own;
	d.epoch++;
	*s = (struct source){ .all = &d,
			      .kind = &kinds[data[0] % ARRAY_SIZE(kinds)],
			      .order = s->order,
			      .processes = s->processes };
	memcpy(text, data + 1, size - 1);
	text[size - 1] = 0;
	feed(s, text, size - 1);
	/* Each event had its definitions before it. */
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
