// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/recover.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/csv.h"
#include "dataset/manifest_file.h"
#include "dataset/recover.h"
#include "dataset/session.h"

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
/* <out>/<bucket>/<MACHINE_ID>/<stamp> */
#define DEPTH_MAX 3

struct tally {
	uint64_t sessions, faults;
};

static __attribute__((format(printf, 2, 3))) void say(const char *path, const char *format, ...)
{
	char *shown = malloc(CSV_TEXT_MAX(strlen(path)) + 1);
	va_list args;

	if (shown)
		*csv__escape(shown, path, strlen(path)) = 0;
	printf("%s: ", shown ? shown : "?");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	free(shown);
}

static void on_session(struct tally *t, int parent, const char *name, const char *path)
{
	char text[RECOVER_DESCRIBE_MAX];
	struct recovered done;
	int outcome = recover__session(parent, name, NULL, &done);

	t->sessions++;
	t->faults += (outcome < 0 && outcome != -EWOULDBLOCK) || done.damaged;
	if (recover__describe(text, outcome, &done))
		say(path, "%s", text);
}

static bool exists(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* NAME of directory PARENT, which is called PATH. */
static void walk(struct tally *t, int parent, const char *name, const char *path, int depth)
{
	int dir = openat(parent, name, depth ? DIR_FLAGS : DIR_FLAGS & ~O_NOFOLLOW), n;
	struct dirent **entries;

	if (dir < 0) {
		if (errno == ENOTDIR && depth)
			return;
		say(path, "%s", strerror(errno));
		t->faults++;
		return;
	}
	if (session__is_stamp(name) || exists(dir, MANIFEST_NAME)) {
		close(dir);
		on_session(t, parent, name, path);
		return;
	}
	n = depth < DEPTH_MAX ? scandirat(dir, ".", &entries, NULL, alphasort) : 0;
	for (int i = 0; i < n; i++) {
		const char *entry = entries[i]->d_name;
		char *below = NULL;

		if (*entry != '.' && entries[i]->d_type != DT_REG &&
		    asprintf(&below, "%s/%s", path, entry) >= 0) {
			walk(t, dir, entry, below, depth + 1);
			free(below);
		}
		free(entries[i]);
	}
	if (n > 0)
		free(entries);
	close(dir);
}

static const struct command_option no_options[] = { { .name = NULL } };

static int recover(int argc, char **argv)
{
	const struct command *c = &recover_command;
	struct tally t = { 0 };
	struct command_line l;
	char *dir, *slash;
	int option, parent;

	command__begin(&l, c, argc, argv, false);
	option = command__next(&l);
	if (option != COMMAND_END)
		return option == COMMAND_DONE ? EXIT_OK : EXIT_USAGE;
	if (argc - l.at != 1 || !*argv[l.at])
		return command__usage(c, "one DIR is needed");
	/* The real path has a last component, which says whether it is a session. */
	dir = realpath(argv[l.at], NULL);
	if (!dir)
		return command__cannot(c, "%s: %s", argv[l.at], strerror(errno));
	slash = strrchr(dir, '/');
	*slash = 0;
	parent = open(slash == dir ? "/" : dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (parent >= 0)
		walk(&t, parent, slash[1] ? slash + 1 : ".", argv[l.at], 0);
	else
		command__cannot(c, "%s: %s", argv[l.at], strerror(errno));
	if (parent >= 0 && !t.sessions && !t.faults)
		command__cannot(c, "%s: no session here or below", argv[l.at]);
	if (parent >= 0)
		close(parent);
	free(dir);
	return command__flush(c, t.faults || !t.sessions ? EXIT_CANNOT : EXIT_OK);
}

const struct command recover_command = {
	.name = "recover",
	.usage = "DIR",
	.summary = "finish sessions whose recorder was killed",
	.description =
		"Recovers the session in DIR, or all sessions below DIR, whose recorder was killed or lost\n"
		"its power: each .part file becomes a finished file of whole rows, the manifest lists them\n"
		"all, and the session's state is 'recovered'. A session that is whole, or that is being\n"
		"recorded, is left as it is. Prints a line for each session that needed it. It may be\n"
		"stopped at any moment and run again. A recording does the same for the sessions beside\n"
		"its own when it starts.",
	.options = no_options,
	.exit_codes =
		"0 nothing is left to recover, 1 something cannot be recovered, or there is no\nsession, 2 usage.",
	.examples =
		"sudo iotrc recover iotrc-traces               # every session\n"
		"sudo iotrc recover iotrc-traces/linux_v1/0123456789ABCDEF/20260131_120000_000\n"
		"sudo iotrc recover iotrc-traces && iotrc verify iotrc-traces",
	.main = recover,
};
