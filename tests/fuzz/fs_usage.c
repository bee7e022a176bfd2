// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines of fs_usage and of eslogger, or anything else in their place: parsed parts lie in the line,
 * and the resulting records are valid and are encoded as the reader would. The first byte selects
 * the tracer. */
#include "engine/macos/fs_usage.h"
#include "engine/macos/eslogger.h"
#include "engine/macos/fs_usage_line.h"
#include "macos.h"
#include "platform/macros.h"

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
	static struct fs_usage own;
	static struct fed f;

	if (!own.threads)
		own.threads = thread_map__new();
	if (!own.threads ||
	    !fed__begin(&f, data, size, &kinds[size ? data[0] % ARRAY_SIZE(kinds) : 0], 1))
		return 0;
	f.all.is_darwin = true;
	f.all.own = &own;
	feed(f.all.sources, f.text, f.size);
	fed__end(&f);
	return 0;
}
