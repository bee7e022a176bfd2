// SPDX-License-Identifier: GPL-2.0-or-later
/* A configuration file. */
#include "fuzz.h"
#include "options/options.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[96], message[OPTIONS_MESSAGE_MAX];
	char *argv[] = { "iotrc", "--config", path, NULL };
	struct options o;

	fuzz__put(fuzz__dir(), "conf", data, size);
	snprintf(path, sizeof(path), "%s/conf", fuzz__path);
	if (!options__parse(&o, 3, argv, message))
		options__done(&o);
	else if (!*message || strchr(message, '\n'))
		abort();
	return 0;
}
