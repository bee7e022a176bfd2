// SPDX-License-Identifier: GPL-2.0-only
/* What a killed recorder left behind, before it is repaired: one byte for the stream, then the file. What
 * was repaired must then be whole. */
#include <errno.h>

#include "fuzz.h"
#include "src/csv_repair.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct csv_repair repair = { 0 };
	struct file_facts facts = { 0 }, again = { 0 };
	int dir = fuzz__dir();
	enum stream stream;

	if (!size)
		return 0;
	stream = *data % STREAM_COUNT;
	fuzz__put(dir, "a.csv.zst.part", data + 1, size - 1);
	if (!csv_repair__finish(&repair, dir, stream, "a", "b", &facts)) {
		if (csv_repair__read(&repair, dir, stream, "b", &again) || facts.rows != again.rows ||
		    strcmp(facts.sha256, again.sha256))
			abort();
	}
	unlinkat(dir, "a.csv.zst.part", 0);
	unlinkat(dir, "b.csv.zst", 0);
	return 0;
}
