/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A command of iotrc as a value. What --help prints, how the line is parsed, the manual page, the
 * completions and the dispatch all derive from it. The table of commands is in
 * commands/commands.c. */
#ifndef IOTRC_COMMAND_H
#define IOTRC_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* What the program exits with; `iotrc run` passes on the status of what it ran. */
enum exit_code {
	EXIT_OK = 0,
	EXIT_CANNOT = 1,     /* cannot do it, and the message says why; verify: there is a fault */
	EXIT_USAGE = 2,      /* wrong command line or configuration file */
	EXIT_LOST = 3,       /* done, but rows were lost or could not be written */
	EXIT_UNDECLARED = 4, /* `iotrc check`: the command did what was not declared, or less */
};

/* An option that takes a value has an ARG, the value's name in help texts. One in brackets, as in
 * "[FILE]", may be left out before another option or "--". */
struct command_option {
	const char *name; /* without its dashes */
	char brief;       /* the letter of its short form, or 0 */
	const char *arg;
	const char *help; /* lines; an LF between two */
};

struct command {
	const char *name;
	const char *usage;       /* its arguments in the list of commands */
	const char *summary;     /* one line: what it does */
	const char *synopsis;    /* lines: its arguments in full; NULL: USAGE */
	const char *description; /* paragraphs of lines */
	/* ends with a row without a name. -h is always there */
	const struct command_option *options;
	const char *exit_codes;
	const char *examples; /* lines of shell */

	/* Prints all of the above instead, for a command with a recording's options (options.h),
	 * whose OPTIONS are NULL. */
	void (*help)(FILE *out);

	/* Runs it and returns the exit code. ARGV[0] is the command's name; where OPTIONS are NULL,
	 * the program's, and ARGV[1] the command's. ARGV[ARGC] is NULL. */
	int (*main)(int argc, char **argv);
};

/* Every command, in the order of --help; ends with NULL. */
extern const struct command *const commands[];

/* The command called NAME, or NULL. */
const struct command *command__find(const char *name);

/* The name of the command nearest to WORD, or NULL where none is near. */
const char *command__nearest(const char *word);

/* Prints the --help of C to OUT. */
void command__help(const struct command *c, FILE *out);

/* Prints the list of commands to OUT. */
void command__list(FILE *out);

/* ---- the command line of a command with options of its own ---- */

#define COMMAND_OPTIONS_MAX 64

/* What command__next() found: an index of the options' table, or one of these. */
enum {
	/* no options are left: argv[at] is the first other argument */
	COMMAND_END = -1,
	COMMAND_DONE = -2, /* --help was printed: exit with EXIT_OK */
	COMMAND_ERROR = -3 /* it has said on stderr what is wrong: exit with EXIT_USAGE */
};

struct command_line {
	const struct command *command;
	int argc, at;
	char **argv;
	/* of the option just found, borrowed from ARGV; NULL: it takes none, or it was left out */
	const char *value;
};

/* Begins with ARGV[1]. FIRST_WORD_ENDS: the first argument that is no option ends the options (what
 * is run has options of its own); otherwise options may stand after other arguments, too. One line
 * at a time in a process. */
void command__begin(struct command_line *l, const struct command *c, int argc, char **argv,
		    bool first_word_ends);

/* The next option. */
int command__next(struct command_line *l);

/* Says on stderr in one line that the command line of C is wrong, and where to read more. Returns
 * EXIT_USAGE. */
int command__usage(const struct command *c, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Says on stderr in one line that C cannot do it. Returns EXIT_CANNOT. */
int command__cannot(const struct command *c, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Flushes stdout. Returns CODE, or EXIT_CANNOT with a line on stderr where something could not be
 * written. */
int command__flush(const struct command *c, int code);

#endif
