// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/help.h"

#include <stdbool.h>

static const struct command_option no_options[] = { { .name = NULL } };

static int help(int argc, char **argv)
{
	const struct command *c = &help_command, *about;
	struct command_line l;
	int option;

	command__begin(&l, c, argc, argv, false);
	option = command__next(&l);
	if (option != COMMAND_END)
		return command__ended(&l, option);
	if (argc - l.at > 1)
		return command__usage(c, "one COMMAND at a time");
	about = command__find(l.at < argc ? argv[l.at] : "");
	if (!about) {
		const char *nearest = command__nearest(argv[l.at]);

		return nearest ? command__usage(c, "%.100s: no such command, did you mean %s?",
						argv[l.at], nearest) :
				 command__usage(c, "%.100s: no such command", argv[l.at]);
	}
	command__help(about, stdout);
	return command__flush(c, EXIT_OK);
}

const struct command help_command = {
	.name = "help",
	.usage = "[COMMAND]",
	.summary = "print the help of a command",
	.description =
		"Prints what `iotrc COMMAND --help` prints; without COMMAND, what `iotrc --help` does.",
	.options = no_options,
	.exit_codes = "0 printed, 2 usage.",
	.examples = "iotrc help verify",
	.main = help,
};
