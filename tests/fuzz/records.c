// SPDX-License-Identifier: GPL-2.0-or-later
/* What comes from the rings: records, each with a length of two bytes. Ids are reduced to few
 * values, so that events find definitions. */
#include "encoding.h"

static void make_few(u64 *id)
{
	*id = *id % 3;
}

static void take(struct encoder *e, uint8_t *record, size_t size)
{
	if (!encode__sound(record, size))
		return;
	switch (*record) {
	case REC_PATH:
		make_few(&((struct rec_path *)record)->id);
		encoder__define(e, record, size);
		return;
	case REC_TASK:
		make_few(&((struct rec_task *)record)->id);
		encoder__define(e, record, size);
		return;
	case REC_FS_LONG:
		make_few(&((struct rec_fs_long *)record)->base);
		make_few(&((struct rec_fs_long *)record)->base2);
		/* fall through */
	case REC_FS:
		make_few(&((struct rec_fs *)record)->path);
		make_few(&((struct rec_fs *)record)->task);
	}
	if (!record_kinds[*record].encode)
		abort();
	encoding__row(e, record, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct selection selection = { .streams = ~0u, .ops = ALL_OPS, .scope_all = true };
	static const unsigned char key[32] = "a key";
	static struct encoder *encoders_kept[2]; /* in clear, and anonymising */
	static struct clock *clock;
	struct encoder *e;

	if (!clock) {
		struct memory_plan plan;
		struct encoder_config config = { .selection = &selection, .memory = &plan };

		memory__plan(&plan, 0, 1);
		if (clock__new(&clock))
			abort();
		config.clock = clock;
		for (int i = 0; i < 2; i++) {
			config.key = i ? key : NULL;
			if (encoder__new(&encoders_kept[i], &config))
				abort();
		}
	}
	if (!size)
		return 0;
	e = encoders_kept[*data & 1];
	data++;
	size--;
	while (size > 2) {
		size_t len = data[0] | data[1] << 8;
		uint8_t *record;

		data += 2;
		size -= 2;
		len = len < size ? len : size;
		record = malloc(len ? len :
				      1); /* exactly these bytes: reads beyond them are detected */
		memcpy(record, data, len);
		take(e, record, len);
		free(record);
		data += len;
		size -= len;
	}
	for (int i = 0; i < 2; i++) { /* an input does not depend on the previous one */
		dict__forget(e->paths);
		dict__forget(e->tasks);
	}
	dict__drop(e->paths);
	dict__drop(e->tasks);
	return 0;
}
