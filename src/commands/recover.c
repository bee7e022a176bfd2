// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/recover.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/shown.h"
#include "commands/confine.h"
#include "dataset/recover.h"
#include "dataset/session.h"
#include "dataset/session_walk.h"
#include "platform/privileges.h"

/* <out>/<bucket>/<MACHINE_ID>/<stamp> */
#define DEPTH_MAX 3

struct results {
	const char *dir;
	uint64_t sessions, faults;
};

static void on_session(void *arg, int parent, const char *name, int dir, const char *path)
{
	struct results *t = arg;
	char text[RECOVER_DESCRIBE_MAX];
	struct recovered done;
	int outcome = recover__session(parent, name, NULL, &done);

	t->sessions++;
	t->faults += (outcome < 0 && outcome != -EWOULDBLOCK) || done.damaged;
	if (recover__describe(text, outcome, &done))
		shown__line(stdout, "%s: %s", path, text);
}

static void on_failed(void *arg, const char *path, int err)
{
	struct results *t = arg;

	/* The requested directory does not exist: this is not a finding about a session. */
	shown__line(strcmp(path, t->dir) ? stdout : stderr, "%s: %s", path, strerror(-err));
	t->faults++;
}

static const struct command_option no_options[] = { { .name = NULL } };

static int recover(int argc, char **argv)
{
	const struct command *c = &recover_command;
	struct results t = { 0 };
	const struct session_walk walk = {
		.is_session = session_walk__may_recover,
		.on_session = on_session,
		.on_failed = on_failed,
		.depth = DEPTH_MAX,
		.arg = &t,
	};
	struct command_line l;
	int option;

	command__begin(&l, c, argc, argv, false);
	option = command__next(&l);
	if (option != COMMAND_END)
		return command__ended(&l, option);
	if (argc - l.at != 1 || !*argv[l.at])
		return command__usage(c, "one DIR is needed");
	t.dir = argv[l.at];
	confine(&(struct confinement){ .dirs = &t.dir,
				       .n_dirs = 1,
				       .state = -1,
				       .keep = privileges__needed(&(struct privileges_use){
					       .gives_files = true, .reads_all_files = true }) });
	session_walk__run(&walk, t.dir);
	if (!t.sessions && !t.faults)
		command__cannot(c, "%s: no session here or below", argv[l.at]);
	return command__flush(c, t.faults || !t.sessions ? EXIT_CANNOT : EXIT_OK);
}

const struct command recover_command = {
	.name = "recover",
	.usage = "DIR",
	.summary = "repair sessions after a crash or power failure",
	.description =
		"Repairs the session in DIR, or all sessions below DIR, after the recorder was killed or\n"
		"power failed: each .part file becomes a finished file that ends with its last complete\n"
		"row, the manifest lists all files, and the session's state becomes 'recovered'. Sessions\n"
		"that are complete or still being recorded are not changed. Prints a line for each session\n"
		"that it repaired. It may be interrupted at any time and run again. When a recording\n"
		"starts, it does the same for the other sessions in its output directory.",
	.options = no_options,
	.exit_codes =
		"0 nothing is left to recover, 1 something could not be recovered, or no session\nwas found, 2 usage.",
	.examples =
		"sudo iotrc recover iotrc-traces               # every session\n"
		"sudo iotrc recover iotrc-traces/linux_v1/0123456789ABCDEF/20260131_120000_000\n"
		"sudo iotrc recover iotrc-traces && iotrc verify iotrc-traces",
	.main = recover,
};
