// SPDX-License-Identifier: GPL-2.0-or-later
/* Writes man/iotrc-COMMAND.1 and man/iotrc.conf.5: the texts of --help and of the configuration
 * file as manual pages. A help text consists of usage lines, paragraphs, lists below a line "Title:",
 * "Exit code(s): ..." and "EXAMPLES:", separated by blank lines. */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen-docs.h"
#include "options/command.h"
#include "options/options.h"

/* The second column of a list begins here or farther right. */
#define GAP "  "

static void print_header(const char *title, const char *section, const char *name, const char *what,
			 const char *source)
{
	printf(".\\\" SPDX-License-Identifier: GPL-2.0-or-later\n"
	       ".\\\" Made by scripts/gen-commands.c (make docs) from %s: don't edit.\n"
	       ".Dd November 21, 2026\n.Dt %s %s\n.Os\n.Sh NAME\n.Nm %s\n.Nd %s\n",
	       source, title, section, name, what);
}

/* Prints a word of a usage line or of an option's first line. */
static void print_word(const char *word, size_t len)
{
	bool opens = *word == '[', closes = len && word[len - 1] == ']', more;

	if (opens)
		puts(".Oo");
	word += opens;
	len -= opens + closes;
	more = len > 3 && !strncmp(word + len - 3, "...", 3);
	len -= more ? 3 : 0;
	if (*word == '-') {
		size_t name = strcspn(word + 1, "=[, ") + 1;

		name = name < len ? name : len;
		printf(".Fl %.*s", (int)name - 1, word + 1);
		if (name < len && word[name] == ',')
			printf(" ,");
		else if (name < len) /* --keep-uploaded[=yes|no] */
			printf(" Ns %.*s", (int)(len - name), word + name);
		putchar('\n');
	} else if (*word == '|') {
		puts(".No \\&|");
	} else if (len) {
		printf(".%s %.*s%s\n", isupper((unsigned char)*word) ? "Ar" : "Cm", (int)len, word,
		       more ? " ..." : "");
	}
	if (closes)
		puts(".Oc");
}

static void print_words(const char *line, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t n = strcspn(line + i, " \n");

		n = n < len - i ? n : len - i;
		if (n)
			print_word(line + i, n);
		i += n + 1;
	}
}

/* Prints an option and its argument on one line, for .It, which takes macros as arguments. */
static void print_item(const char *s, size_t len)
{
	fputs(".It", stdout);
	for (size_t i = 0; i < len;) {
		size_t n = strcspn(s + i, " \n");

		n = n < len - i ? n : len - i;
		if (s[i] == '-') {
			size_t name = strcspn(s + i, "=[, ");

			name = name < n ? name : n;
			printf(" Fl %.*s", (int)name - 1, s + i + 1);
			if (name < n && s[i + name] == ',')
				fputs(" ,", stdout);
			else if (name < n)
				printf(" Ns Ar %.*s", (int)(n - name), s + i + name);
		} else if (n) {
			printf(" Ar %.*s", (int)n, s + i);
		}
		i += n + 1;
	}
	putchar('\n');
}

static size_t line_len(const char *s)
{
	return strcspn(s, "\n");
}

static const char *next_line(const char *s)
{
	s += line_len(s);
	return *s ? s + 1 : s;
}

static bool is_blank_line(const char *s)
{
	return *s == '\n' || !*s;
}

static const char *print_synopsis(const char *s)
{
	puts(".Sh SYNOPSIS");
	for (; !is_blank_line(s); s = next_line(s)) {
		const char *iotrc = strstr(s, "iotrc ");

		puts(".Nm iotrc");
		print_words(iotrc + 6, line_len(s) - (iotrc + 6 - s));
	}
	return s;
}

static const char *print_paragraph(const char *s)
{
	for (; !is_blank_line(s); s = next_line(s))
		print_roff_line(s, line_len(s));
	return s;
}

/* "  -h, --help  text", which continues on lines that are indented more. */
static const char *print_list(const char *s)
{
	puts(".Bl -tag -width Ds");
	while (!is_blank_line(s)) {
		const char *head = s + strspn(s, " "), *text = strstr(head, GAP),
			   *end = s + line_len(s);

		if (!text || text > end)
			text = end;
		if (*head == '-' && head - s < 8) {
			/* "--upload-parallel N so many …" is too long for a gap before the text. */
			const char *word = head;

			for (; word < text; word += strcspn(word, " \n") + 1)
				if (islower((unsigned char)*word)) {
					text = word - 1;
					break;
				}
			print_item(head, text - head);
		} else {
			text = head;
		}
		text += strspn(text, " ");
		if (text < end)
			print_roff_line(text, end - text);
		s = next_line(s);
	}
	puts(".El");
	return s;
}

static const char *print_examples(const char *s)
{
	puts(".Sh EXAMPLES\n.Bd -literal -offset indent");
	for (; !is_blank_line(s); s = next_line(s))
		print_roff_line(s + 2, line_len(s) - 2);
	puts(".Ed");
	return s;
}

static const char exit_code[] = "Exit code";

static bool is_title(const char *s)
{
	return isalpha((unsigned char)*s) && line_len(s) && s[line_len(s) - 1] == ':' &&
	       next_line(s)[0] == ' ';
}

/* The sections in the order of manual pages: each pass prints one kind of section. */
enum page_part { DESCRIPTION, OPTIONS, STATUS, EXAMPLES, PARTS };

static enum page_part part_of(const char *s, enum page_part before)
{
	if (!strncmp(s, exit_code, strlen(exit_code)))
		return STATUS;
	if (!strncmp(s, "EXAMPLES:", 9))
		return EXAMPLES;
	/* Paragraphs without a title after the options belong to the options. */
	return is_title(s) || before == OPTIONS ? OPTIONS : DESCRIPTION;
}

static void print_part(const char *s, enum page_part part)
{
	static const char *const titles[] = { "DESCRIPTION", "OPTIONS", "EXIT STATUS" };
	enum page_part at = DESCRIPTION;
	bool begun = false;

	while (*s) {
		if (is_blank_line(s)) {
			s = next_line(s);
			continue;
		}
		at = part_of(s, at);
		if (at == part && part != EXAMPLES) {
			if (begun)
				puts(".Pp");
			else
				printf(".Sh %s\n", titles[part]);
			begun = true;
		}
		if (at != part)
			while (!is_blank_line(s))
				s = next_line(s);
		else if (part == EXAMPLES)
			s = print_examples(next_line(s));
		else if (is_title(s))
			s = print_list(next_line(s));
		else if (part == STATUS)
			s = print_paragraph(strchr(s, ':') + 2);
		else
			s = print_paragraph(s);
	}
}

static void print_command(const char *name, const char *what, const char *help)
{
	char page[64], title[64];
	const char *rest;

	snprintf(page, sizeof(page), "iotrc-%s", name);
	for (size_t i = 0; i <= strlen(page); i++)
		title[i] = toupper((unsigned char)page[i]);
	print_header(title, "1", page, what, "its --help");
	rest = print_synopsis(help);
	for (enum page_part part = DESCRIPTION; part < PARTS; part++)
		print_part(rest, part);
	puts(".Sh SEE ALSO\n.Xr iotrc 1 ,\n.Xr iotrc-format 5 ,\n.Xr iotrc.conf 5");
}

/* Returns the text of C's --help, which the caller frees. */
static char *help_of(const struct command *c)
{
	size_t size;
	char *text;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort();
	command__help(c, out);
	fclose(out);
	return text;
}

bool print_command_man(const char *page)
{
	for (const struct command *const *c = commands; *c; c++) {
		char name[64], *text;

		snprintf(name, sizeof(name), "man/iotrc-%s.1", (*c)->name);
		if (strcmp(name, page))
			continue;
		text = help_of(*c);
		print_command((*c)->name, (*c)->summary, text);
		free(text);
		return true;
	}
	return false;
}

/* Parses "#key = value", or "key = value" where the service has another default; false if S is neither. */
static bool is_setting(const char *s)
{
	const char *equals = memchr(s, '=', line_len(s));

	s += *s == '#';
	return equals && islower((unsigned char)*s) && equals == s + strcspn(s, " =\n") + 1;
}

static char *conf_text(void)
{
	size_t size;
	char *text;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort();
	options__conf(out);
	fclose(out);
	return text;
}

void print_conf_man(void)
{
	char *text = conf_text();
	bool list = false;
	const char *s;

	print_header("IOTRC.CONF", "5", "iotrc.conf", "what iotrc records, how, and where to",
		     "scripts/iotrc.conf");
	puts(".Sh SYNOPSIS\n.Pa " OPTIONS_CONFIG "\n.Sh DESCRIPTION");
	for (s = text; !is_blank_line(s); s = next_line(s))
		if (line_len(s) == 1)
			puts(".Pp");
		else
			print_roff_line(s + 2, line_len(s) - 2);
	puts(".Pp\nValues below are examples, many of them the default.\n.Sh KEYS");
	for (; *s; s = next_line(s)) {
		const char *help = s;

		if (is_blank_line(s))
			continue;
		if (!strncmp(s, "# ---- ", 7)) {
			if (list)
				puts(".El");
			list = false;
			printf(".Ss %.*s\n", (int)(strstr(s, " ----\n") - s - 7), s + 7);
			continue;
		}
		while (!is_setting(s))
			s = next_line(s);
		if (!list)
			puts(".Bl -tag -width Ds");
		list = true;
		printf(".It Ic %.*s\n", (int)line_len(s) - (*s == '#'), s + (*s == '#'));
		for (; help != s; help = next_line(help))
			print_roff_line(help + 2, line_len(help) - 2);
	}
	puts(".El\n.Sh EXAMPLES\n"
	     "The file operations and block requests of a database, in 10 GB:\n"
	     ".Bd -literal -offset indent\n"
	     "output = /var/lib/iotrc/traces\n"
	     "streams = fs,block\n"
	     "command = postgres\n"
	     "max\\-disk = 10G\n"
	     ".Ed\n"
	     ".Sh SEE ALSO\n.Xr iotrc 1 ,\n.Xr iotrc-upload 1 ,\n.Xr systemctl 1");
	free(text);
}
