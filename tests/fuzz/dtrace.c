// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines and messages of DTrace, or anything else in their place: the resulting records are valid,
 * and are encoded as the reader would. The first byte selects the script and the numbering. */
#include "engine/macos/dtrace_line.h"
#include "engine/macos/dtrace_said.h"
#include "macos.h"
#include "platform/macros.h"

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
	static struct fed f;

	if (!fed__begin(&f, data, size, &kinds[size ? (data[0] & 3) % ARRAY_SIZE(kinds) : 0], 2))
		return 0;
	f.all.is_darwin = data[0] & 4;
	dtrace_said__parse(f.text);
	feed(f.all.sources, f.text, f.size);
	fed__end(&f);
	return 0;
}
