// SPDX-License-Identifier: GPL-2.0-or-later
/* A command line: one argument per line. */
#include "options/options.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *argv[64] = { "iotrc" }, message[OPTIONS_MESSAGE_MAX],
	     *rest = text;
	struct options o;
	int argc = 1;

	memcpy(text, data, size);
	text[size] = 0;
	while (rest && argc < 63)
		argv[argc++] = strsep(&rest, "\n");
	argv[argc] = NULL;
	if (!options__parse(&o, argc, argv, message))
		options__done(&o);
	else if (!*message || strchr(message, '\n') || strlen(message) >= sizeof(message))
		abort(); /* one line, always */
	free(text);
	return 0;
}
