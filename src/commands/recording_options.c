// SPDX-License-Identifier: GPL-2.0-or-later
/* The commands that take a recording's options: recording itself, `dev`, and `upload`. */
#include "commands/recording_options.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "commands/record.h"
#include "commands/upload.h"
#include "commit.h"
#include "options/options.h"
#include "platform/machine_id.h"

static int print_help(const struct options *o)
{
	options__help(stdout);
	return command__flush(&record_command, EXIT_OK);
}

static int print_version(const struct options *o)
{
	printf("iotrc %s (%s)\n", IOTRC_VERSION, IOTRC_COMMIT);
	return command__flush(&record_command, EXIT_OK);
}

static int print_computer_id(const struct options *o)
{
	char id[17];
	int err = machine_id__get(id);

	if (err) {
		fprintf(stderr, "iotrc: cannot read the machine id: %s\n", strerror(-err));
		return EXIT_CANNOT;
	}
	puts(id);
	return command__flush(&record_command, EXIT_OK);
}

/* The parser has read the file and found an error in it. */
static int print_checked(const struct options *o)
{
	printf("%s: OK\n", o->config);
	return command__flush(&record_command, EXIT_OK);
}

static int print_upload_help(const struct options *o)
{
	options__upload_help(stdout);
	return command__flush(&upload_command, EXIT_OK);
}

static int (*const actions[])(const struct options *o) = {
	[ACTION_RECORD] = record__run,         [ACTION_HELP] = print_help,
	[ACTION_VERSION] = print_version,      [ACTION_COMPUTER_ID] = print_computer_id,
	[ACTION_CHECK_CONFIG] = print_checked, [ACTION_REWARD] = upload__reward,
	[ACTION_UPLOAD] = upload__run,         [ACTION_UPLOAD_HELP] = print_upload_help,
};

static int act(int argc, char **argv)
{
	char message[OPTIONS_MESSAGE_MAX];
	struct options o;
	int code;

	if (options__parse(&o, argc, argv, message)) {
		log__to_stderr();
		log__line(LOG_ERR, "%s", message);
		return EXIT_USAGE;
	}
	code = actions[o.action](&o);
	options__done(&o);
	return code;
}

const struct command record_command = {
	.name = "",
	.usage = "(none)",
	.summary = "record",
	.help = options__help,
	.main = act,
};

const struct command dev_command = {
	.name = "dev",
	.usage = "[OPTION...]",
	.summary = "record with libbpf's logs, then verify the session",
	.help = options__help,
	.main = act,
};

const struct command upload_command = {
	.name = "upload",
	.usage = "DIR...",
	.summary = "send files that are not at the target yet",
	.help = options__upload_help,
	.main = act,
};
