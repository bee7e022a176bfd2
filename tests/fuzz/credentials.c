// SPDX-License-Identifier: GPL-2.0-or-later
/* A file of credentials. */
#include "uploader/credentials.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[96], problem[TARGET_REASON_MAX];
	struct credentials *c;

	fuzz__put(fuzz__dir(), "keys", data, size);
	snprintf(path, sizeof(path), "%s/keys", fuzz__path);
	chmod(path, 0600);
	if (!credentials__keys(&c, path, problem))
		credentials__free(c);
	if (!credentials__token(&c, path, problem))
		credentials__free(c);
	return 0;
}
