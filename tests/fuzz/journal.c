// SPDX-License-Identifier: GPL-2.0-or-later
/* The journal of an upload. */
#include "dataset/journal.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int dir = fuzz__dir();
	struct journal *j;

	fuzz__put(dir, JOURNAL_NAME, data, size);
	if (!journal__open(&j, dir, "file:///x", -1, -1)) {
		journal__has(j, "fs/a.csv.zst", "0");
		free(journal__progress(j, "fs/a.csv.zst", "0"));
		journal__free(j);
	}
	journal__session_uploaded(dir);
	return 0;
}
