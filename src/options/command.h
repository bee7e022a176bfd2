/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A command of iotrc as a value. What --help prints, how the line is parsed, the manual page, the
 * completions and the dispatch all derive from it. The table of commands is in
 * commands/commands.c. */
#ifndef IOTRC_COMMAND_H
#define IOTRC_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Exit codes of the program. `iotrc run` passes on the exit code of its command. */
enum exit_code {
	EXIT_OK = 0,
	EXIT_CANNOT = 1,     /* impossible, and the message says why; verify: there is a fault */
	EXIT_USAGE = 2,      /* wrong command line or configuration file */
	EXIT_LOST = 3,       /* done, but rows were lost or could not be written */
	EXIT_UNDECLARED = 4, /* `iotrc check`: something is undeclared, unused or missing */
};

/* An option that takes a value has an ARG, the value's name in help texts. One in brackets, as in
 * "[FILE]", may be left out before another option or "--". */
struct command_option {
	const char *name; /* without its dashes */
	char brief;       /* the letter of its short form, or 0 */
	const char *arg;
	const char *help; /* lines, separated by LF */
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

	/* Prints all of the above, for a command with the options of a recording (options.h), whose
	 * OPTIONS are NULL. */
	void (*help)(FILE *out);

	/* Runs it and returns the exit code. ARGV[0] is the command's name; if OPTIONS are NULL, it
	 * is the program's, and ARGV[1] the command's. ARGV[ARGC] is NULL. */
	int (*main)(int argc, char **argv);
};

/* Every command, in the order of --help; ends with NULL. */
extern const struct command *const commands[];

/* The command called NAME, or NULL. */
const struct command *command__find(const char *name);

/* The name of the command that is most similar to WORD, or NULL if none is similar. */
const char *command__nearest(const char *word);

/* Prints the --help of C to OUT. */
void command__help(const struct command *c, FILE *out);

/* Prints the list of commands to OUT. */
void command__list(FILE *out);

/* ---- the command line of a command with options of its own ---- */

#define COMMAND_OPTIONS_MAX 64

/* What command__next() returns: an index in the table of options, or one of these. */
enum {
	/* there are no more options: argv[at] is the first other argument */
	COMMAND_END = -1,
	COMMAND_DONE = -2, /* --help was printed: see command__ended() */
	COMMAND_ERROR = -3 /* stderr says what is wrong */
};

struct command_line {
	const struct command *command;
	int argc, at;
	char **argv;
	/* of the option just returned, borrowed from ARGV; NULL: it has none */
	const char *value;
};

/* Begins with ARGV[1]. FIRST_WORD_ENDS: the first argument that is not an option ends the options,
 * because it is a command with options of its own; otherwise options may follow other arguments.
 * Only one line at a time in a process. */
void command__begin(struct command_line *l, const struct command *c, int argc, char **argv,
		    bool first_word_ends);

/* Parses the next option. */
int command__next(struct command_line *l);

/* The exit code after OPTION, COMMAND_DONE or COMMAND_ERROR. */
int command__ended(const struct command_line *l, int option);

/* Prints one line to stderr: what is wrong with the command line of C, and where to read more.
 * Returns EXIT_USAGE. */
int command__usage(const struct command *c, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Prints one line to stderr: why C cannot do its work. Returns EXIT_CANNOT. */
int command__cannot(const struct command *c, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Flushes stdout. Returns CODE, or EXIT_CANNOT with a line on stderr if something could not be
 * written. */
int command__flush(const struct command *c, int code);
/* The same for another file. */
int command__flush_file(const struct command *c, FILE *file, int code);

#endif
