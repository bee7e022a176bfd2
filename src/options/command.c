// SPDX-License-Identifier: GPL-2.0-or-later
#include "options/command.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <string.h>

#include "base/shown.h"

#include "options/nearest.h"

#define HELP_OPTION (-4)
#define HELP_COLUMN 24

const struct command *command__find(const char *name)
{
	for (const struct command *const *c = commands; *c; c++)
		if (!strcmp((*c)->name, name))
			return *c;
	return NULL;
}

const char *command__nearest(const char *word)
{
	size_t len = strlen(word);
	struct nearest n = nearest__begin(len);

	for (const struct command *const *c = commands; *c; c++)
		if (*(*c)->name)
			nearest__try(&n, word, len, (*c)->name);
	return n.word;
}

/* Prints HELP beside its head, which has taken LEN columns. */
static void print_beside(FILE *out, int len, const char *help)
{
	if (len + 2 > HELP_COLUMN) {
		fputc('\n', out);
		len = 0;
	}
	fprintf(out, "%*s", HELP_COLUMN - len, "");
	for (; *help; help++) {
		fputc(*help, out);
		if (*help == '\n')
			fprintf(out, "%*s", HELP_COLUMN, "");
	}
	fputc('\n', out);
}

static void print_synopsis(const struct command *c, FILE *out)
{
	const char *line = c->synopsis ?: c->usage, *head = "Usage:";

	do {
		size_t len = strcspn(line, "\n");

		fprintf(out, "%-6s iotrc %s%s%.*s\n", head, c->name, len ? " " : "", (int)len,
			line);
		line += len;
		head = "";
	} while (*line++);
}

void command__help(const struct command *c, FILE *out)
{
	if (c->help) {
		c->help(out);
		return;
	}
	print_synopsis(c, out);
	fprintf(out, "\n%s\n\nOptions:\n", c->description);
	for (const struct command_option *o = c->options; o->name; o++) {
		char brief[] = { '-', o->brief, ',', 0 };

		print_beside(out,
			     fprintf(out, "  %3s --%s%s%s", o->brief ? brief : "", o->name,
				     o->arg ? " " : "", o->arg ?: ""),
			     o->help);
	}
	print_beside(out, fprintf(out, "  -h, --help"), "print this text");
	fprintf(out, "\nExit code: %s\n", c->exit_codes);
	if (c->examples) {
		fputs("\nEXAMPLES:\n", out);
		for (const char *line = c->examples; *line;) {
			size_t len = strcspn(line, "\n");

			fprintf(out, "  %.*s\n", (int)len, line);
			line += len + !!line[len];
		}
	}
}

void command__list(FILE *out)
{
	for (const struct command *const *c = commands; *c; c++)
		print_beside(
			out,
			fprintf(out, "  %s%s%s", (*c)->name, *(*c)->name ? " " : "", (*c)->usage),
			(*c)->summary);
}

/* ---- the command line ---- */

/* The options of getopt_long(), made from a command's table. */
static struct option long_options[COMMAND_OPTIONS_MAX + 2];
static char short_options[3 * COMMAND_OPTIONS_MAX + 8];

/* no_argument, required_argument or optional_argument: 0 to 2, the number of colons of a short
 * option. */
static int takes(const struct command_option *o)
{
	if (!o->arg)
		return no_argument;
	return *o->arg == '[' ? optional_argument : required_argument;
}

void command__begin(struct command_line *l, const struct command *c, int argc, char **argv,
		    bool first_word_ends)
{
	char *s = short_options;
	size_t n = 0;

	if (first_word_ends)
		*s++ = '+';
	*s++ = ':';
	*s++ = 'h';
	for (; c->options[n].name && n < COMMAND_OPTIONS_MAX; n++) {
		const struct command_option *o = &c->options[n];

		long_options[n] = (struct option){ o->name, takes(o), NULL, (int)n + 256 };
		if (!o->brief)
			continue;
		*s++ = o->brief;
		for (int colons = takes(o); colons > 0; colons--)
			*s++ = ':';
	}
	*s = 0;
	long_options[n] = (struct option){ "help", no_argument, NULL, 'h' };
	long_options[n + 1] = (struct option){ 0 };
	*l = (struct command_line){ .command = c, .argc = argc, .argv = argv, .at = 1 };
	optind = 0; /* glibc: start again, even if getopt was used before */
	opterr = 0;
}

static int index_of(const struct command *c, int found)
{
	if (found >= 256)
		return found - 256;
	for (int i = 0; c->options[i].name; i++)
		if (c->options[i].brief == found)
			return i;
	return COMMAND_ERROR;
}

static int unknown(const struct command_line *l)
{
	const char *word = l->argv[optind - 1];
	size_t len = strcspn(word, "=");
	struct nearest n = nearest__begin(len);

	if (strncmp(word, "--", 2)) { /* perhaps one of several letters */
		command__usage(l->command, "-%c: no such option", optopt);
		return COMMAND_ERROR;
	}
	for (const struct command_option *o = l->command->options; o->name; o++)
		nearest__try(&n, word + 2, len - 2, o->name);
	if (optopt >= 256 || optopt == 'h')
		command__usage(l->command, "%.*s: takes no value", (int)len, word);
	else if (n.word)
		command__usage(l->command, "%.100s: no such option (--%s?)", word, n.word);
	else
		command__usage(l->command,
			       "%.100s: no such option, or more than one begins with it", word);
	return COMMAND_ERROR;
}

/* getopt_long() takes an optional value only if it is joined to its option; here it may be the next
 * argument. */
static void take_next(struct command_line *l)
{
	const char *word = optind < l->argc ? l->argv[optind] : NULL;

	if (!word || (*word == '-' && word[1]))
		return;
	l->value = word;
	l->at = ++optind;
}

int command__next(struct command_line *l)
{
	int found = getopt_long(l->argc, l->argv, short_options, long_options, NULL);

	l->at = optind;
	l->value = optarg;
	switch (found) {
	case -1:
		return COMMAND_END;
	case 'h':
		command__help(l->command, stdout);
		return COMMAND_DONE;
	case ':':
		command__usage(l->command, "%.100s: needs a value", l->argv[optind - 1]);
		return COMMAND_ERROR;
	case '?':
		return unknown(l);
	default:
		found = index_of(l->command, found);
		if (found >= 0 && !l->value && takes(&l->command->options[found]))
			take_next(l);
		return found;
	}
}

/* Prints the beginning of a line to stderr, escaped. */
static void say(const struct command *c, const char *format, va_list args)
{
	char line[1024], shown[SHOWN_MAX(sizeof(line))];

	vsnprintf(line, sizeof(line), format, args);
	shown__copy(shown, line, strlen(line));
	fprintf(stderr, "iotrc%s%s: %s", *c->name ? " " : "", c->name, shown);
}

int command__usage(const struct command *c, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(c, format, args);
	va_end(args);
	fprintf(stderr, "; see iotrc %s --help\n", c->name);
	return EXIT_USAGE;
}

int command__cannot(const struct command *c, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(c, format, args);
	va_end(args);
	fputc('\n', stderr);
	return EXIT_CANNOT;
}

int command__flush_file(const struct command *c, FILE *file, int code)
{
	if (!fflush(file) && !ferror(file))
		return code;
	return command__cannot(c, "cannot write: %s", strerror(errno));
}

int command__flush(const struct command *c, int code)
{
	return command__flush_file(c, stdout, code);
}

int command__ended(const struct command_line *l, int option)
{
	return option == COMMAND_DONE ? command__flush(l->command, EXIT_OK) : EXIT_USAGE;
}
