// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/json_text.h"
#include "options/command.h"

int main(int argc, char **argv)
{
	const struct command *c = argc > 1 ? command__find(argv[1]) : NULL;

	json_text__begin();
	if (!c || !*c->name)
		c = command__find(""); /* a recording's options, or what is no command */
	return c->options ? c->main(argc - 1, argv + 1) : c->main(argc, argv);
}
