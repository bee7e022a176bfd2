// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "commands/doctor.h"
#include "commands/record.h"
#include "commands/upload.h"
#include "commands/verify.h"
#include "commit.h"
#include "dataset/recover.h"
#include "options/options.h"
#include "platform/machine_id.h"
#include "platform/macros.h"

static const struct {
	const char *name;
	int (*main)(int argc, char **argv);
} commands[] = {
	{ "doctor", doctor__main },
	{ "verify", verify__main },
	{ "recover", recover__main },
};

static int print_help(const struct options *o)
{
	options__help(stdout);
	return 0;
}

static int print_version(const struct options *o)
{
	printf("iotrc %s (%s)\n", IOTRC_VERSION, IOTRC_COMMIT);
	return 0;
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
	return 0;
}

/* It has been read already: a mistake in it didn't get here. */
static int print_checked(const struct options *o)
{
	printf("%s: right\n", o->config);
	return 0;
}

static int print_upload_help(const struct options *o)
{
	options__upload_help(stdout);
	return 0;
}

static int (*const actions[])(const struct options *o) = {
	[ACTION_RECORD] = record__main,        [ACTION_HELP] = print_help,
	[ACTION_VERSION] = print_version,      [ACTION_COMPUTER_ID] = print_computer_id,
	[ACTION_CHECK_CONFIG] = print_checked, [ACTION_REWARD] = upload__reward,
	[ACTION_UPLOAD] = upload__main,        [ACTION_UPLOAD_HELP] = print_upload_help,
};

int main(int argc, char **argv)
{
	char message[OPTIONS_MESSAGE_MAX];
	struct options o;
	int code;

	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(commands); i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].main(argc - 1, argv + 1);
	if (options__parse(&o, argc, argv, message)) {
		log__to_stderr();
		log__line(LOG_ERR, "%s", message);
		return EXIT_USAGE;
	}
	code = actions[o.action](&o);
	options__done(&o);
	return code;
}
