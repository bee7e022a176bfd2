// SPDX-License-Identifier: GPL-2.0-or-later
/* Records one command with everything that it starts, and reports its files. */
#include "commands/run.h"

#include <string.h>

#include "commands/run_job.h"
#include "commands/run_shim.h"
#include "engine/strace/strace.h"

static const struct command_option run_options[] = {
	RUN_JOB_OPTIONS,
	{ "tree", 't', NULL, "also list what each process did" },
	{ "strict", 0, NULL, "exit with 3 when something may be missing" },
	{ .name = NULL },
};
enum { TREE = RUN_JOB_OPTION_COUNT, STRICT };

static int write_report(struct run_job *j, const json_t *report)
{
	FILE *text;
	int code = run_job__write_json(j, report, &text);

	if (!text)
		return code;
	run_report__print(report, text);
	return fflush(text) ? command__cannot(&run_command, "cannot write the report") : code;
}

static int run(struct run_job *j, bool strict)
{
	json_t *report = NULL;
	int code = run_job__prepare(j);

	if (!code)
		code = run_job__open_reports(j);
	if (!code)
		code = run_job__run(j, &report);
	if (code)
		return code;
	code = write_report(j, report);
	json_decref(report);
	if (strict && json_array_size(j->facts.incomplete))
		return EXIT_LOST;
	return j->facts.status ?: code;
}

static int run_main(int argc, char **argv)
{
	struct run_job j = { .command = &run_command };
	struct command_line l;
	bool strict = false;
	int option, code;

	if (argc > 4 && !strcmp(argv[1], STRACE_SHIM))
		run_shim__become(argv + 2);
	command__begin(&l, &run_command, argc, argv, true);
	while ((option = command__next(&l)) >= 0)
		if (option == STRICT)
			strict = true;
		else if (option == TREE)
			j.processes = true;
		else if (!run_job__option(&j, option, l.value))
			return EXIT_USAGE;
	if (option != COMMAND_END)
		return option == COMMAND_DONE ? EXIT_OK : EXIT_USAGE;
	if (l.at == argc)
		return command__usage(&run_command, "a command is needed");
	j.facts.argv = argv + l.at;
	code = run(&j, strict);
	run_job__clear(&j);
	return code;
}

const struct command run_command = {
	.name = "run",
	.usage = "[OPTION...] -- CMD...",
	.summary = "run a command and tell which files it read and wrote",
	.synopsis = "[OPTION...] -- CMD [ARG...]",
	.description =
		"Runs CMD as the invoking user, under sudo too, and records it and all that it starts,\n"
		"from its first instruction until it has ended. Then it lists on stderr the files that\n"
		"CMD read and wrote, relative to the workspace, at most 50 of each.\n"
		"\n"
		"A file is read when what it held before CMD wrote to it was read or mapped; what CMD\n"
		"wrote itself and read back is only written. Files made and removed again are in neither\n"
		"list. The JSON has reads, writes, modified (both), missing, listed, stated, denied,\n"
		"executed, deleted, renamed, transient, changed_during_run (by others) and incomplete,\n"
		"with --tree processes, too. A name that is no UTF-8 is an object there, whose base64 are\n"
		"its bytes.\n"
		"\n"
		"All engines make the same report: bpf, for root or with CAP_BPF and CAP_PERFMON, and\n"
		"strace, for everybody. auto takes bpf where it can. What strace cannot see, such as\n"
		"io_uring, incomplete names. On macOS root has eslogger, which needs Full Disk Access,\n"
		"and fs_usage; what they do not tell of, such as calls that fail or long paths,\n"
		"incomplete names.\n"
		"\n"
		"When something may be missing, incomplete says what: rows were lost, the recorder was\n"
		"killed, or a process was still running when CMD ended. With --json the text is written\n"
		"only where -o says so.",
	.options = run_options,
	.exit_codes =
		"CMD's status, 128+n when signal n killed it, 126 or 127 when it could not be\nexecuted; 1 cannot record, 2 usage, 3 with --strict: something may be missing.",
	.examples = "sudo iotrc run -- make\n"
		    "sudo iotrc run --json files.json --ignore '*.o' -- cc -c main.c\n"
		    "sudo iotrc run --strict --json - -- make | jq .reads",
	.main = run_main,
};
