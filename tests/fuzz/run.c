// SPDX-License-Identifier: GPL-2.0-or-later
/* What a snapshot of the filesystems has stored for the next one. */
#include "snappers/run.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = fuzz__file(data, size);
	struct run_reader *r;
	const void *record;
	uint32_t len;

	lseek(fd, 0, SEEK_SET);
	if (!run_reader__new(&r, fd)) {
		while (run_reader__next(r, &record, &len) > 0)
			;
		run_reader__free(r);
	}
	close(fd);
	return 0;
}
