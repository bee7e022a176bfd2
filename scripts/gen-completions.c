// SPDX-License-Identifier: GPL-2.0-or-later
/* Writes completions/ for bash, zsh and fish, from the tables of commands and options. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "gen-docs.h"
#include "options/command.h"
#include "options/options.h"
#include "platform/macros.h"

#define HEAD \
	"# SPDX-License-Identifier: GPL-2.0-or-later\n# Made by scripts/gen-completions.c (make docs) from the table of options: don't edit.\n"

/* How an option's value is completed, by its placeholder in --help. */
static const struct {
	const char *arg, *bash, *zsh, *fish;
} values[] = {
	{ "DIR", "-d", "_files -/", "-xa '(__fish_complete_directories)'" },
	{ "FILE", "-f", "_files", "-rF" },
	{ "PREFIX", "-f", "_files", "-rF" },
	{ "PATH|ID", "-d", "_files -/", "-xa '(__fish_complete_directories)'" },
};
#define N_VALUES ARRAY_SIZE(values)

/* Prints the options of C, each between BEFORE and AFTER. */
static void print_own(const struct command *c, const char *before, const char *after)
{
	for (const struct command_option *o = c->options; o->name; o++)
		printf("%s--%s%s", before, o->name, after);
	printf("%s--help%s", before, after);
}

static size_t value_of(const struct option_text *o)
{
	size_t i = 0;

	while (o->arg && i < N_VALUES && strcmp(o->arg, values[i].arg))
		i++;
	return o->arg ? i : N_VALUES;
}

static bool needs_value(const struct option_text *o)
{
	return o->arg && *o->arg != '[';
}

/* Prints the first line of HELP, escaped for single quotes. */
static void print_help(const char *help)
{
	size_t len = strcspn(help, "\n");

	for (size_t i = 0; i < len; i++)
		if (help[i] == '\'')
			fputs("'\\''", stdout);
		else
			putchar(help[i]);
	if (help[len])
		fputs(" …", stdout);
}

static void print_names(const struct option_text *o, const char *between)
{
	if (o->brief)
		printf("-%c%s", o->brief, between);
	printf("--%s", o->name);
}

/* Prints the names of the commands. */
static void print_commands(void)
{
	const char *between = "";

	for (const struct command *const *c = commands; *c; c++) {
		if (!*(*c)->name)
			continue;
		printf("%s%s", between, (*c)->name);
		between = " ";
	}
}

/* Prints the branches of `case` for the options that need a value. */
static void print_bash_values(void)
{
	struct option_text o;
	bool any = false;

	for (size_t v = 0; v < N_VALUES; v++)
		for (size_t i = 0; options__text(i, &o); i++) {
			if (!needs_value(&o) || value_of(&o) != v)
				continue;
			fputs("\t", stdout);
			print_names(&o, "|");
			printf(") mapfile -t COMPREPLY < <(compgen %s -- \"$cur\"); return ;;\n",
			       values[v].bash);
		}
	fputs("\t", stdout);
	for (size_t i = 0; options__text(i, &o); i++) {
		if (!needs_value(&o) || value_of(&o) != N_VALUES)
			continue;
		fputs(any ? "|" : "", stdout);
		print_names(&o, "|");
		any = true;
	}
	fputs(") return ;;\n", stdout);
}

void print_bash_completion(void)
{
	struct option_text o;

	fputs(HEAD
	      "_iotrc()\n"
	      "{\n"
	      "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} options\n"
	      "\n"
	      "\tcase $prev in\n",
	      stdout);
	print_bash_values();
	fputs("\tesac\n"
	      "\tcase ${COMP_WORDS[1]} in\n",
	      stdout);
	for (const struct command *const *c = commands; *c; c++) {
		if (!(*c)->options)
			continue;
		printf("\t%s) options='-h", (*c)->name);
		print_own(*c, " ", "");
		fputs("' ;;\n", stdout);
	}
	fputs("\t*) options='", stdout);
	for (size_t i = 0; options__text(i, &o); i++) {
		fputs(i ? " " : "", stdout);
		print_names(&o, " ");
	}
	fputs("' ;;\n"
	      "\tesac\n"
	      "\tif [[ $cur == -* ]]; then\n"
	      "\t\tmapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$cur\")\n"
	      "\telif ((COMP_CWORD == 1)); then\n"
	      "\t\tmapfile -t COMPREPLY < <(compgen -W '",
	      stdout);
	print_commands();
	fputs("' -- \"$cur\")\n"
	      "\telse\n"
	      "\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
	      "\tfi\n"
	      "}\n"
	      "complete -o filenames -F _iotrc iotrc\n",
	      stdout);
}

/* Prints an option's text in a specification, in which brackets and colons must be escaped. */
static void print_zsh_help(const char *help)
{
	putchar('[');
	for (size_t i = 0, len = strcspn(help, "\n"); i < len; i++)
		switch (help[i]) {
		case '\'':
			fputs("'\\''", stdout);
			break;
		case '[':
		case ']':
		case ':':
			putchar('\\');
			/* fall through */
		default:
			putchar(help[i]);
		}
	putchar(']');
}

static void print_zsh_option(const struct option_text *o, const char *name)
{
	size_t v = value_of(o);

	printf("\t'%s%s", name,
	       !o->arg        ? "" :
	       needs_value(o) ? (name[1] == '-' ? "=" : "+") :
				"=-");
	print_zsh_help(o->help);
	if (needs_value(o))
		printf(":%s:%s", o->arg, v < N_VALUES ? values[v].zsh : " ");
	fputs("'\n", stdout);
}

void print_zsh_completion(void)
{
	struct option_text o;

	fputs("#compdef iotrc\n" HEAD "local -a options commands\n"
	      "options=(\n",
	      stdout);
	for (size_t i = 0; options__text(i, &o); i++) {
		char text[64], brief[] = { '-', o.brief, 0 };

		snprintf(text, sizeof(text), "--%s", o.name);
		if (o.brief)
			print_zsh_option(&o, brief);
		print_zsh_option(&o, text);
	}
	fputs(")\ncommands=(\n", stdout);
	for (const struct command *const *c = commands; *c; c++) {
		if (!*(*c)->name)
			continue;
		printf("\t'%s:", (*c)->name);
		print_help((*c)->summary);
		fputs("'\n", stdout);
	}
	fputs(")\n"
	      "case $words[2] in\n",
	      stdout);
	for (const struct command *const *c = commands; *c; c++) {
		if (!(*c)->options)
			continue;
		printf("%s)\n\toptions=('-h'", (*c)->name);
		print_own(*c, " '", "'");
		fputs(") ;;\n", stdout);
	}
	fputs("esac\n"
	      "_arguments -s $options '1:command:{_describe command commands}' '*:file:_files'\n",
	      stdout);
}

void print_fish_completion(void)
{
	struct option_text o;

	fputs(HEAD, stdout);
	for (const struct command *const *c = commands; *c; c++) {
		char before[96];

		if (!(*c)->options)
			continue;
		snprintf(before, sizeof(before),
			 "complete -c iotrc -n '__fish_seen_subcommand_from %s' -a ", (*c)->name);
		print_own(*c, before, "\n");
	}
	for (const struct command *const *c = commands; *c; c++) {
		if (!*(*c)->name)
			continue;
		printf("complete -c iotrc -n __fish_use_subcommand -a %s -d '", (*c)->name);
		print_help((*c)->summary);
		fputs("'\n", stdout);
	}
	for (size_t i = 0; options__text(i, &o); i++) {
		size_t v = value_of(&o);

		fputs("complete -c iotrc -n 'not __fish_seen_subcommand_from", stdout);
		for (const struct command *const *c = commands; *c; c++)
			if ((*c)->options)
				printf(" %s", (*c)->name);
		printf("' -l %s", o.name);
		if (o.brief)
			printf(" -s %c", o.brief);
		if (needs_value(&o))
			printf(" %s", v < N_VALUES ? values[v].fish : "-x");
		fputs(" -d '", stdout);
		print_help(o.help);
		fputs("'\n", stdout);
	}
}
