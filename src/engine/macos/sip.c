// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/macos/sip.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "engine/macos/dtrace_said.h"
#include "engine/macos/runner.h"

#define LIST_BYTES (1 << 20)
/* All that macOS shows with System Integrity Protection on; without it the kernel has hundreds of
 * system calls with two probes each. */
#define FEW_PROBES 100

#define STEPS \
	"Apple silicon: shut down, hold the power button until the options appear, Options, Utilities, " \
	"Terminal. Intel: restart holding Command-R, Utilities, Terminal. There:\n" \
	"  csrutil enable --without dtrace\n" \
	"and restart. Undo it in the same way with: csrutil enable\n" \
	"docs/macos-sip.md walks through it and says what it costs."

/* Whether csrutil reports that DTrace is restricted. False also if there is no csrutil. */
static bool is_restricted(void)
{
	char *const argv[] = { "csrutil", "status", NULL };
	char text[2048];
	const char *dtrace;

	if (runner__once(argv, text, sizeof(text)) < 0)
		return false;
	dtrace = strstr(text, "DTrace Restrictions:");
	if (dtrace)
		return !strncmp(dtrace + 20, " enabled", 8);
	return strstr(text, "status: enabled") != NULL;
}

static int refuse_for_sip(char *problem)
{
	return engine__problem(problem, -EACCES,
			       "System Integrity Protection keeps DTrace from recording. To allow "
			       "DTrace alone:\n" STEPS);
}

/* Returns the most severe kind of the lines in SAID, and in *RET_LAST the last line for people.
 * SAID is split into its lines. */
static enum dtrace_said_kind worst(char *said, const char **ret_last)
{
	static const int rank[] = {
		[DTRACE_SAID_OTHER] = 0,  [DTRACE_SAID_DROPS] = 0, [DTRACE_SAID_NOTHING] = 1,
		[DTRACE_SAID_RIGHTS] = 2, [DTRACE_SAID_SIP] = 3,
	};
	enum dtrace_said_kind kind = DTRACE_SAID_OTHER;
	char *line, *rest = said;

	*ret_last = "it says nothing";
	while ((line = strsep(&rest, "\n"))) {
		enum dtrace_said_kind k = dtrace_said__parse(line).kind;

		if (!*line || !strncmp(line, RUNNER_ENDED, sizeof(RUNNER_ENDED) - 1))
			continue;
		*ret_last = line;
		if (rank[k] > rank[kind])
			kind = k;
	}
	return kind;
}

int sip__explain(const char *said, char *problem)
{
	char *copy = strdup(said);
	enum dtrace_said_kind kind;
	const char *last;

	if (!copy)
		return engine__problem(problem, -ENOMEM, "out of memory");
	kind = worst(copy, &last);
	if (kind == DTRACE_SAID_SIP || (kind != DTRACE_SAID_OTHER && is_restricted()))
		refuse_for_sip(problem);
	else if (kind == DTRACE_SAID_RIGHTS)
		engine__problem(problem, -EACCES, "DTrace needs root: %.200s", last);
	else if (kind == DTRACE_SAID_NOTHING)
		engine__problem(problem, -EACCES, "DTrace has no probes here: %.200s", last);
	else
		engine__problem(problem, -EACCES, "dtrace does not start: %.400s", last);
	free(copy);
	return -EACCES;
}

/* Counts lines with a probe of PROVIDER, which follows an id. */
static unsigned int count_probes(const char *text, const char *provider)
{
	unsigned int n = 0;
	size_t len = strlen(provider);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		line += strspn(line, " ");
		line += strspn(line, "0123456789");
		line += strspn(line, " ");
		n += !strncmp(line, provider, len) && line[len] == ' ';
	}
	return n;
}

static int look_at(const char *program, const char *provider, unsigned int few, char *text,
		   char *problem)
{
	char *const argv[] = { (char *)program, "-l", "-P", (char *)provider, NULL };
	int code = runner__once(argv, text, LIST_BYTES);
	unsigned int n;

	if (code < 0)
		return engine__problem(problem, code, "cannot run %.200s: %s", program,
				       strerror(-code));
	n = count_probes(text, provider);
	if (n >= few)
		return 0;
	if (code == 127)
		return engine__problem(problem, -ENOENT, "cannot run %.200s", program);
	if (n && is_restricted())
		return refuse_for_sip(problem);
	if (n)
		return engine__problem(problem, -EACCES, "DTrace has only %u probes of %s", n,
				       provider);
	return sip__explain(text, problem);
}

int sip__look(const char *program, char *problem)
{
	char *text = malloc(LIST_BYTES);
	int err;

	if (!text)
		return engine__problem(problem, -ENOMEM, "out of memory");
	err = look_at(program, "syscall", FEW_PROBES, text, problem);
	if (!err)
		err = look_at(program, "io", 1, text, problem);
	free(text);
	return err;
}
