// SPDX-License-Identifier: GPL-2.0-or-later
/* Records one command with everything that it starts, and reports its files. */
#include "commands/run.h"

#include <string.h>

#include "commands/run_job.h"
#include "commands/run_shim.h"
#include "engine/strace/shim.h"

static const struct command_option run_options[] = {
	RUN_JOB_OPTIONS,
	{ "tree", 't', NULL, "also list what each process did" },
	{ "strict", 0, NULL, "exit with 3 if something may be missing" },
	{ .name = NULL },
};
enum { TREE = RUN_JOB_OPTION_COUNT, STRICT };

static int write_run_report(struct run_job *j, const json_t *report)
{
	FILE *text;
	int code = run_job__write_json(j, report, &text);

	if (!text)
		return code;
	run_report__print(report, text);
	return command__flush_file(&run_command, text, code);
}

static int run_and_report(struct run_job *j, bool strict)
{
	json_t *report = NULL;
	int code = run_job__prepare(j);

	if (!code)
		code = run_job__open_reports(j);
	if (!code)
		code = run_job__run(j, &report);
	if (code)
		return code;
	code = write_run_report(j, report);
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
		return command__ended(&l, option);
	if (l.at == argc)
		return command__usage(&run_command, "a command is needed");
	j.facts.argv = argv + l.at;
	code = run_and_report(&j, strict);
	run_job__clear(&j);
	return code;
}

const struct command run_command = {
	.name = "run",
	.usage = "[OPTION...] -- CMD...",
	.summary = "run a command and report which files it read and wrote",
	.synopsis = "[OPTION...] -- CMD [ARG...]",
	.description =
		"Runs CMD as the invoking user, even under sudo, and records it and all processes that it\n"
		"starts, from its first instruction to its end. Then it lists on stderr the files that\n"
		"CMD read and wrote, relative to the workspace, at most 50 of each.\n"
		"\n"
		"A file counts as read if CMD read or mapped contents that it had before CMD wrote to it;\n"
		"a file that CMD wrote and read back is only written. Files that were created and removed\n"
		"again are in neither list. The JSON has reads, writes, modified (both), missing, listed,\n"
		"stated, denied, executed, deleted, renamed, transient, changed_during_run (by others) and\n"
		"incomplete, and with --tree processes. A name that is not UTF-8 is an object there, whose\n"
		"base64 has its bytes.\n"
		"\n"
		"All engines make the same report: bpf, for root or with CAP_BPF and CAP_PERFMON, and\n"
		"strace, for everybody; auto uses bpf if it can. On macOS root can use eslogger, which\n"
		"needs Full Disk Access, and fs_usage. incomplete lists what the engine could not see:\n"
		"io_uring with strace, calls that fail or long paths on macOS.\n"
		"\n"
		"If something may be missing, incomplete says why: rows were lost, the recorder was\n"
		"killed, or a process was still running when CMD ended. With --json, the text is written\n"
		"only if -o is given.",
	.options = run_options,
	.exit_codes =
		"CMD's status, 128+n if signal n killed it, 126 or 127 if it could not be\nexecuted; 1 cannot record, 2 usage, 3 with --strict: something may be missing.",
	.examples = "sudo iotrc run -- make\n"
		    "sudo iotrc run --json files.json --ignore '*.o' -- cc -c main.c\n"
		    "sudo iotrc run --strict --json - -- make | jq .reads",
	.main = run_main,
};
