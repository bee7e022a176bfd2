// SPDX-License-Identifier: GPL-2.0-or-later
/* What a killed recorder left behind, before its repair: one byte for the stream, then the file.
 * The clock's offsets are derived from its rows. What was repaired must then be sound. */
#include <errno.h>

#include "dataset/csv_repair.h"
#include "dataset/row_clock.h"
#include "fuzz.h"

static struct row_clock clock_;

static void on_row(void *arg, int64_t wall_us, uint64_t mono_ns)
{
	row_clock__row(&clock_, wall_us, mono_ns);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct clock_offset offset = { 1, 1700000000000000000, 3600 };
	const struct csv_repair repair = { .row = on_row };
	struct file_facts facts = { 0 }, again = { 0 };
	int dir = fuzz__dir();
	enum stream stream;

	if (!size)
		return 0;
	stream = *data % STREAM_COUNT;
	row_clock__list(&clock_, &offset, 1);
	fuzz__put(dir, "a.csv.zst.part", data + 1, size - 1);
	if (!csv_repair__finish(&repair, dir, stream, "a", "b", &facts)) {
		if (csv_repair__read(&repair, dir, stream, "b", &again) ||
		    facts.rows != again.rows || strcmp(facts.sha256, again.sha256))
			abort();
	}
	unlinkat(dir, "a.csv.zst.part", 0);
	unlinkat(dir, "b.csv.zst", 0);
	return 0;
}
