// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options/command.h"
#include "options/options.h"
#include "platform/macros.h"

/* Returns the text on stderr. */
static char *said(void)
{
	static char text[4096];
	FILE *f = cr_get_redirected_stderr();
	size_t len = fread(text, 1, sizeof(text) - 1, f);

	text[len] = 0;
	return text;
}

static char *help_of(const struct command *c)
{
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	command__help(c, f);
	fclose(f);
	return text;
}

Test(command, each_is_described)
{
	for (const struct command *const *c = commands; *c; c++) {
		char *text = help_of(*c);

		cr_expect((*c)->main && (*c)->summary && (*c)->usage, "%s", (*c)->name);
		cr_expect_eq(command__find((*c)->name), *c);
		cr_expect(strstr(text, "EXAMPLES:"), "%s has no example", (*c)->name);
		cr_expect(strstr(text, "Exit code"), "%s names no exit code", (*c)->name);
		for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
			cr_expect(strlen(line) < 100, "%s: %s", (*c)->name, line);
		free(text);
	}
}

/* The unit tests run in the root of the tree. */
Test(command, each_has_a_page)
{
	for (const struct command *const *c = commands; *c; c++) {
		char name[64];
		FILE *f;

		if ((*c)->help == options__help)
			continue; /* iotrc(1) */
		snprintf(name, sizeof(name), "man/iotrc-%s.1", (*c)->name);
		f = fopen(name, "r");
		cr_expect(f, "%s: touch it, and make docs", name);
		if (f)
			fclose(f);
	}
}

static const struct command_option some_options[] = {
	{ "first", 'f', NULL, "" },
	{ "second", 's', "VALUE", "" },
	{ .name = NULL },
};
static const struct command some = { .name = "some", .options = some_options };

static int next_of(struct command_line *l, int argc, char **argv, bool first_word_ends)
{
	command__begin(l, &some, argc, argv, first_word_ends);
	return command__next(l);
}

Test(command, options_and_words)
{
	char *argv[] = { "some", "word", "--second=x", "-f", "-sy", "--", "-f", NULL };
	struct command_line l;

	cr_assert_eq(next_of(&l, 7, argv, false), 1);
	cr_expect_str_eq(l.value, "x");
	cr_assert_eq(command__next(&l), 0);
	cr_expect_null(l.value);
	cr_assert_eq(command__next(&l), 1);
	cr_expect_str_eq(l.value, "y");
	cr_assert_eq(command__next(&l), COMMAND_END);
	cr_assert_eq(l.at, 5);
	cr_expect_str_eq(argv[5], "word");
	cr_expect_str_eq(argv[6], "-f");
}

Test(command, what_is_run_has_options_of_its_own)
{
	char *argv[] = { "some", "-f", "make", "-s", "--first", NULL };
	struct command_line l;

	cr_assert_eq(next_of(&l, 5, argv, true), 0);
	cr_assert_eq(command__next(&l), COMMAND_END);
	cr_expect_str_eq(argv[l.at], "make");
}

Test(command, mistakes)
{
	static const struct {
		const char *word, *says;
	} rows[] = {
		{ "--frst",
		  "iotrc some: --frst: no such option (--first?); see iotrc some --help\n" },
		{ "-x", "iotrc some: -x: no such option; see iotrc some --help\n" },
		{ "--second", "iotrc some: --second: needs a value; see iotrc some --help\n" },
		{ "--first=1", "iotrc some: --first: takes no value; see iotrc some --help\n" },
		{ "--a\nb\033",
		  "iotrc some: --a\\x0ab\\x1b: no such option, or more than one begins with it; see iotrc some --help\n" },
	};
	char expected[1024] = "";

	cr_redirect_stderr();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *argv[] = { "some", strdup(rows[i].word), NULL };
		struct command_line l;

		cr_expect_eq(next_of(&l, 2, argv, false), COMMAND_ERROR, "%s", rows[i].word);
		free(argv[1]);
		strcat(expected, rows[i].says);
	}
	fflush(stderr);
	cr_expect_str_eq(said(), expected);
}
