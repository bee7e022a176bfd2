// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/json_text.h"
#include "options/command.h"
#include "platform/standard_files.h"

int main(int argc, char **argv)
{
	const struct command *c = argc > 1 ? command__find(argv[1]) : NULL;

	if (standard_files__occupy() < 0)
		return EXIT_CANNOT; /* there may be nowhere to say why */
	json_text__begin();
	if (!c || !*c->name)
		c = command__find(""); /* a recording's options, or what is no command */
	return c->options ? c->main(argc - 1, argv + 1) : c->main(argc, argv);
}
