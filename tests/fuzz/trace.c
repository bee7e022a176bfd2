// SPDX-License-Identifier: GPL-2.0-or-later
/* A trace file as on the disk, for verify: one byte for the stream, then the file. */
#include "dataset/verify_file.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct clock_offset offset = { 0, 1700000000000000000, 0 };
	struct verify_session session = { .offsets = &offset, .n_offsets = 1 };
	struct faults faults = { fuzz__sink(), "d", "p", 0 };
	struct file_facts facts = { .path = "p", .raw_bytes = 64 << 20 };
	int fd;

	if (!size)
		return 0;
	facts.stream = *data % STREAM_COUNT;
	fd = fuzz__file(data + 1, size - 1);
	verify_file__check(&session, &faults, fd, &facts);
	faults__end(&faults);
	close(fd);
	return 0;
}
