// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "options/config.h"
#include "options/options.h"
#include "platform/macros.h"

/* ---- the syntax ---- */

static char seen[4096];

static int note(void *arg, unsigned int line, const char *key, const char *value)
{
	size_t len = strlen(seen);

	snprintf(seen + len, sizeof(seen) - len, "%u[%s][%s]", line, key, value);
	return arg && !strcmp(key, arg) ? -EINVAL : 0;
}

static const char *problem;
static unsigned int line;

static int parse(const char *text, size_t len, const char *stop)
{
	char *copy = malloc(len + 1); /* exactly as long: AddressSanitizer detects an overrun */
	int err;

	memcpy(copy, text, len);
	copy[len] = 0;
	*seen = 0;
	problem = NULL;
	err = config__parse(copy, len, note, (void *)stop, &line, &problem);
	free(copy);
	return err;
}

Test(config, what_lines_are)
{
	static const struct {
		const char *text, *seen;
	} rows[] = {
		{ "", "" },
		{ "\n\n", "" },
		{ "# a = b", "" },
		{ "  \t# a\n \t \n", "" },
		{ "a=b", "1[a][b]" },
		{ "a = b\n", "1[a][b]" },
		{ "\t a\t=  b \t\r\n", "1[a][b]" },
		{ "a=\n", "1[a][]" },
		{ "a = b = c\n", "1[a][b = c]" },
		{ "a = # b", "1[a][# b]" },
		{ "\n#\na=1\n\nb=2", "3[a][1]5[b][2]" },
		{ "a b = c d", "1[a b][c d]" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cr_expect_eq(parse(rows[i].text, strlen(rows[i].text), NULL), 0, "%s",
			     rows[i].text);
		cr_expect_str_eq(seen, rows[i].seen, "%s: %s", rows[i].text, seen);
	}
}

Test(config, what_is_no_line)
{
	cr_assert_eq(parse("a = b\nfrob\nc = d\n", 17, NULL), -EINVAL);
	cr_assert_eq(line, 2);
	cr_assert_str_eq(problem, "neither 'key = value' nor a comment (# ...)");
	cr_assert_str_eq(seen, "1[a][b]");
	cr_assert_eq(parse(" = b", 4, NULL), -EINVAL);
	cr_assert_str_eq(problem, "no key before '='");
	cr_assert_eq(parse("a = b\nc = \0d\n", 13, NULL), -EINVAL);
	cr_assert_eq(line, 2);
	cr_assert_str_eq(problem, "a NUL byte: not a text file");
	/* The caller's own refusal. */
	cr_assert_eq(parse("a=1\nb=2\nc=3", 11, "b"), -EINVAL);
	cr_assert(line == 2 && !problem);
}

/* ---- options from a file ---- */

static char file[64];
static struct options o;
static char message[OPTIONS_MESSAGE_MAX];

static void setup(void)
{
	strcpy(file, "/tmp/iotrc-config-XXXXXX");
	cr_assert_geq(close(mkstemp(file)), 0);
}

static void teardown(void)
{
	options__done(&o);
	unlink(file);
}

TestSuite(config_file, .init = setup, .fini = teardown);

static void write_file(const char *text)
{
	FILE *f = fopen(file, "w");

	fputs(text, f);
	cr_assert_eq(fclose(f), 0);
}

/* With `--config FILE` first, then ARGS split at blanks. */
static int with(const char *text, const char *args)
{
	static char copy[512], *argv[32];
	int argc = 0;

	write_file(text);
	argv[argc++] = "iotrc";
	argv[argc++] = "--config";
	argv[argc++] = file;
	snprintf(copy, sizeof(copy), "%s", args);
	for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc] = NULL;
	options__done(&o);
	message[0] = 0;
	return options__parse(&o, argc, argv, message);
}

static void accepts(const char *text, const char *args)
{
	cr_assert_eq(with(text, args), 0, "%s: %s", text, message);
}

static void refuses(const char *text, const char *why)
{
	char expected[OPTIONS_MESSAGE_MAX];

	cr_expect_eq(with(text, ""), -EINVAL, "%s", text);
	snprintf(expected, sizeof(expected), "%s:%s", file, why);
	cr_expect_str_eq(message, expected, "%s: %s", text, message);
	o.config_text = NULL;
}

Test(config_file, sets_options)
{
	accepts("# mine\noutput = /a b/c\nrotate-age=90s\nquiet = no\nstreams = fs\n"
		"path = /x\npath = /y\nanonymize = keep-system\n",
		"");
	cr_assert_str_eq(o.output, "/a b/c");
	cr_assert_eq(o.rotate_age_s, 90);
	cr_assert(!o.quiet && o.anonymize && o.anonymize_keep_system);
	cr_assert_eq(o.selection.streams, 1u << STREAM_FS);
	cr_assert(o.selection.paths.n == 2 && !strncmp(o.selection.paths.at[1].text, "/y", 2));
	cr_assert_str_eq(o.config, file);
	accepts("anonymize = yes\nno-network = yes", "");
	cr_assert(o.anonymize && !o.anonymize_keep_system &&
		  !selection__stream(&o.selection, STREAM_NW_CONN));
}

Test(config_file, the_command_line_overrules)
{
	accepts("output = /a\nrotate-age = 90s\nstreams = block", "--output /b --streams fs -v");
	cr_assert_str_eq(o.output, "/b");
	cr_assert_eq(o.rotate_age_s, 90);
	cr_assert(o.verbose);
	cr_assert_eq(o.selection.streams, 1u << STREAM_FS);
	/* A list on the command line replaces the file's list; it is not added to it. */
	accepts("pid = 1,2\npath = /a\ncommand = dd", "--pid 7 --pid 8 --path /b");
	cr_assert(o.selection.n_pids == 2 && o.selection.pids[0] == 7 && o.selection.pids[1] == 8);
	cr_assert(o.selection.paths.n == 1 && !strncmp(o.selection.paths.at[0].text, "/b", 2));
	cr_assert_eq(o.selection.commands.n, 1);
	/* Before or after --config makes no difference. */
	write_file("output = /a\n");
	char *argv[] = { "iotrc", "-o", "/b", "--config", file, NULL };

	options__done(&o);
	cr_assert_eq(options__parse(&o, 5, argv, message), 0);
	cr_assert_str_eq(o.output, "/b");
}

Test(config_file, mistakes)
{
	refuses("\nrotate-age = soon\n", "2: rotate-age: 'soon' is not a time (30s, 5m, 2h)");
	refuses("#\n#\nfrob = 1\n", "3: frob: no such option, see iotrc --help");
	refuses("strems = fs\n", "1: strems: no such option (--streams?), see iotrc --help");
	refuses("streams fs\n", "1: neither 'key = value' nor a comment (# ...)");
	refuses("quiet = maybe\n", "1: quiet: 'maybe' is neither yes nor no");
	refuses("output = /a\noutput = /b\n", "2: output: given before, in line 1");
	refuses("config = /x\n", "1: config: for the command line only");
	refuses("daemon = yes\n", "1: daemon: for the command line only");
	refuses("help = yes\n", "1: help: for the command line only");
	refuses("path = relative\n",
		"1: path: 'relative' is not an absolute path free of //, . and ..");
	/* Checks that need all options. */
	cr_assert_eq(with("streams = block\nops = open\n", ""), -EINVAL);
	cr_assert_str_eq(message, "--ops: only with the fs stream");
	o.config_text = NULL;
}

Test(config_file, that_cannot_be_read)
{
	char *argv[] = { "iotrc", "--config", "/nowhere/iotrc.conf", NULL }, *big, text[128];
	char *argv2[] = { "iotrc", "--config", file, NULL };

	cr_assert_eq(options__parse(&o, 3, argv, message), -EINVAL);
	cr_assert_str_eq(message, "cannot read /nowhere/iotrc.conf: No such file or directory");
	big = malloc(CONFIG_BYTES_MAX + 2);
	memset(big, '#', CONFIG_BYTES_MAX + 1);
	big[CONFIG_BYTES_MAX + 1] = 0;
	write_file(big);
	cr_assert_eq(options__parse(&o, 3, argv2, message), -EINVAL);
	snprintf(text, sizeof(text), "cannot read %s: File too large", file);
	cr_assert_str_eq(message, text);
	big[CONFIG_BYTES_MAX] = 0;
	write_file(big);
	cr_assert_eq(options__parse(&o, 3, argv2, message), 0);
	free(big);
}

Test(config_file, check_config)
{
	char *argv[] = { "iotrc", "--check-config", file, "-v", NULL };
	char *argv2[] = { "iotrc", "--check-config", "--config", file, NULL };

	write_file("streams = fs\n");
	cr_assert_eq(options__parse(&o, 4, argv, message), 0, "%s", message);
	cr_assert_eq(o.action, ACTION_CHECK_CONFIG);
	cr_assert_str_eq(o.config, file);
	cr_assert(o.verbose);
	options__done(&o);
	cr_assert_eq(options__parse(&o, 4, argv2, message), 0, "%s", message);
	cr_assert_str_eq(o.config, file);
	options__done(&o);
	write_file("streams = fs,\n");
	cr_assert_eq(options__parse(&o, 4, argv, message), -EINVAL);
	o.config_text = NULL;
}

/* ---- which options have changed ---- */

Test(config_file, what_a_reload_can_not_change)
{
	static const struct {
		const char *text, *args, *changes;
	} rows[] = {
		{ "output = /a\nrotate-age = 1m", "", "" },
		{ "output = /a\nrotate-age = 2m\nrotate-rows = 7", "", "" },
		{ "output = /b\nrotate-age = 1m", "", " output" },
		{ "output = /b\nrotate-age = 1m", "-o /c", "" },
		{ "output = /a\nstreams = fs\nno-network = yes", "", " streams no-network" },
		{ "output = /a\npath = /x\npath = /y", "", " path" },
		{ "", "", " output" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct options before;
		char changes[512];

		accepts("output = /a\nrotate-age = 1m", rows[i].args);
		before = o;
		o.config_text = NULL;
		accepts(rows[i].text, rows[i].args);
		options__fixed_changes(&before, &o, changes, sizeof(changes));
		cr_expect_str_eq(changes, rows[i].changes, "%s: %s", rows[i].text, changes);
		options__fixed_changes(&before, &o, changes, 4);
		cr_expect_eq(strncmp(changes, rows[i].changes, 3), 0);
		cr_expect_lt(strlen(changes), 4);
		options__done(&before);
	}
}

/* ---- the installed file ---- */

static char *slurp(const char *path)
{
	char *text;
	size_t len;

	cr_assert_eq(config__read(path, &text, &len), 0,
		     "%s: the tests run from the project's root", path);
	return text;
}

Test(config_file, the_installed_one_is_right)
{
	char *text = slurp("scripts/iotrc.conf");

	accepts(text, "");
	cr_assert_str_eq(o.output, "/var/lib/iotrc/traces");
	free(text);
}

/* Parses each commented example as an option. */
Test(config_file, each_example_is_right)
{
	char *text = slurp("scripts/iotrc.conf"), *save, one[512];
	unsigned int n = 0;

	for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		if (*l != '#' || l[1] < 'a' || l[1] > 'z')
			continue;
		/* An option of a stream that is off by default. */
		snprintf(one, sizeof(one), "%s%s\n",
			 strncmp(l, "#cache-", 7) ? "" : "cache = yes\n", l + 1);
		n++;
		if (!strcmp(l, "#container = web")) { /* must be running */
			cr_expect_eq(with(one, ""), -EINVAL);
			cr_expect(strstr(message, "no container that runs has the name or id"));
			continue;
		}
		cr_expect_eq(with(one, ""), 0,
			     "its row in src/options/options.c needs a .conf: %s: %s", l, message);
	}
	cr_assert_gt(n, 20);
	free(text);
}

/* The help is made from the same table: each option in it is in the file or for the command line
 * only. */
Test(config_file, every_option_is_in_it)
{
	static const char *const only[] = {
		"config",  "check-config", "daemon",       "pid-file",     "log-file", "help",
		"version", "computer-id",  "trace-bucket", "keep-records", "replay",   "dtrace",
		"reward",  "test",         "continuous",   "upload-format"
	};
	char *text = slurp("scripts/iotrc.conf"), *help, *p;
	size_t size;
	FILE *out = open_memstream(&help, &size);
	unsigned int n = 0;

	options__help(out);
	fclose(out);
	p = strstr(help, "Recording:");
	help[strstr(help, "EXAMPLES") - help] = 0;
	while ((p = strstr(p, " --"))) {
		char key[64], needle[80];
		bool found = false;

		p += 3;
		snprintf(key, sizeof(key), "%.*s", (int)strcspn(p, " =[\n"), p);
		snprintf(needle, sizeof(needle), "%s = ", key);
		for (size_t i = 0; i < ARRAY_SIZE(only); i++)
			found |= !strcmp(only[i], key);
		cr_expect_eq(strstr(text, needle) != NULL, !found, "%s", key);
		n++;
	}
	cr_assert_gt(n, 30);
	free(help);
	free(text);
}
