// SPDX-License-Identifier: GPL-2.0-or-later
/* manifest.json, before verify and recover. */
#include "commands/verify.h"
#include "dataset/manifest_file.h"
#include "dataset/recover.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int dir = fuzz__dir(), session;
	struct recovered done;
	char path[96];

	mkdirat(dir, "s", 0750);
	session = openat(dir, "s", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fuzz__put(session, MANIFEST_NAME, data, size);
	snprintf(path, sizeof(path), "%s/s", fuzz__path);
	verify__dir(path, fuzz__sink());
	recover__session(dir, "s", NULL, &done);
	close(session);
	return 0;
}
