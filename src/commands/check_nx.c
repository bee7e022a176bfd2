// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/check_nx.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/glob.h"
#include "base/json_text.h"
#include "base/reap.h"
#include "commands/run_child.h"
#include "commands/run_name.h"

static const char script[] =
#include "nx_script.h"
	;

#define EXAMPLE \
	"; without nx a declaration is a file: --declared FILE with " \
	"{\"inputs\": [\"src/**\", \"package.json\"], \"outputs\": [\"dist/\"]}"

#define ANSWER 3 /* the script's descriptor */

/* ---- node ---- */

static void become_node(const struct run_user *user, const char *root, int question, int answer)
{
	char *argv[] = { "node", "-e", (char *)script, NULL };
	int high = fcntl(answer, F_DUPFD, ANSWER + 1);

	if (dup2(question, STDIN_FILENO) < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0 ||
	    dup2(high, ANSWER) < 0 || run_child__become(user) || chdir(root))
		_exit(RUN_NOT_EXECUTED);
	close(high);
	/* No other process of nx outlives the script, and nothing uses the network. */
	setenv("NX_DAEMON", "false", 1);
	setenv("NX_NO_CLOUD", "true", 1);
	setenv("NX_TUI", "false", 1);
	execvp(argv[0], argv);
	_exit(errno == ENOENT ? RUN_NOT_FOUND : RUN_NOT_EXECUTED);
}

static int run_node(const char *root, int question, int answer)
{
	struct run_user user = run_child__user();
	pid_t pid = fork();
	int status;

	if (!pid)
		become_node(&user, root, question, answer);
	if (pid < 0)
		return -errno;
	status = reap(pid);
	if (status < 0)
		return status;
	if (WIFEXITED(status) && WEXITSTATUS(status) == RUN_NOT_FOUND)
		return -ENOENT;
	return status ? -EIO : 0;
}

/* Sends QUESTION to the script and takes ownership of it. Returns 0, or a negative errno with
 * WHY. */
static int ask(const char *root, json_t *question, json_t **ret, char why[CHECK_NX_WHY_MAX])
{
	FILE *in = tmpfile(), *out = tmpfile();
	char said[JSON_WHY_MAX] = "";
	const char *error;
	int err = -EIO;

	if (in && out && !json_dumpf(question, in, 0) && !fflush(in)) {
		lseek(fileno(in), 0, SEEK_SET);
		err = run_node(root, fileno(in), fileno(out));
	}
	json_decref(question);
	if (!err)
		err = json_text__read(fileno(out), ret, said);
	if (in)
		fclose(in);
	if (out)
		fclose(out);
	if (err == -ENOENT)
		snprintf(why, CHECK_NX_WHY_MAX, "--nx: node, which runs nx, was not found" EXAMPLE);
	else if (err)
		snprintf(why, CHECK_NX_WHY_MAX, "--nx: node ended without an answer%s%s" EXAMPLE,
			 *said ? ": " : "", said);
	if (err)
		return err;
	error = json_string_value(json_object_get(*ret, "error"));
	if (!error)
		return 0;
	snprintf(why, CHECK_NX_WHY_MAX, "--nx: %.1200s" EXAMPLE, error);
	json_decref(*ret);
	return -ENOTSUP;
}

/* ---- questions ---- */

int check_nx__resolve(const char *root, const char *target, json_t **ret,
		      char why[CHECK_NX_WHY_MAX])
{
	return ask(root, json_pack("{s:s}", "target", target), ret, why);
}

/* Returns the UTF-8 names of list KEY of REPORT that are not globs in KNOWN. */
static void add_texts(json_t *texts, const json_t *report, const char *key, const json_t *known)
{
	json_t *name;
	size_t i;

	json_array_foreach(json_object_get(report, key), i, name) {
		char *glob = json_is_string(name) ? globs__escape(json_string_value(name)) : NULL;

		if (glob && !json_object_get(known, glob))
			json_array_append(texts, name);
		free(glob);
	}
}

int check_nx__judge(const char *root, const char *target, const json_t *report, json_t *declaration,
		    char why[CHECK_NX_WHY_MAX])
{
	json_t *reads = json_array(), *writes = json_array(), *known = json_object();
	json_t *inputs = json_object_get(declaration, "inputs"), *input, *answer;
	size_t i;
	int err;

	json_array_foreach(inputs, i, input)
		json_object_set_new(known, json_string_value(input), json_true());
	/* If the inputs are unknown, no file is asked about. */
	if (json_array_size(inputs)) {
		add_texts(reads, report, "reads", known);
		add_texts(reads, report, "executed", known);
	}
	add_texts(writes, report, "writes", NULL);
	json_decref(known);
	err = ask(root,
		  json_pack("{s:s, s:o, s:o}", "target", target, "reads", reads, "writes", writes),
		  &answer, why);
	if (err)
		return err;
	json_array_extend(inputs, json_object_get(answer, "inputs"));
	json_array_extend(json_object_get(declaration, "outputs"),
			  json_object_get(answer, "outputs"));
	json_decref(answer);
	return 0;
}
