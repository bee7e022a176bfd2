// SPDX-License-Identifier: GPL-2.0-or-later
/* Writes man/iotrc-format.5, a manual page with the text and the tables of docs/format.md. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "gen-docs.h"

/* Prints LEN bytes of Markdown as roff: `code` (which ends on the same line) in bold, backslashes
 * escaped, each sentence on a line of its own. */
static void print_text(const char *s, size_t len)
{
	const char *start = s;
	bool code = false;

	if (len && (*s == '.' || *s == '\''))
		fputs("\\&", stdout);
	for (; len; s++, len--) {
		bool option = s == start || s[-1] == '-' || s[-1] == ' ' || s[-1] == '`';

		switch (*s) {
		case '`':
			fputs(code ? "\\fP" : "\\fB", stdout);
			code = !code;
			break;
		case '\\':
			fputs("\\e", stdout);
			break;
		case '-': /* of an option, not a hyphen */
			fputs(option ? "\\-" : "-", stdout);
			break;
		case '.':
			putchar('.');
			if (len > 2 && s[1] == ' ' && s[2] >= 'A' && s[2] <= 'Z') {
				putchar('\n');
				s++;
				len--;
			}
			break;
		default:
			putchar(*s);
		}
	}
}

/* "See [page.md](page.md)": a manual page can show only the link's text. */
void print_roff_line(const char *s, size_t len)
{
	const char *open = memchr(s, '[', len), *close = open ? strstr(open, "](") : NULL;
	const char *end = close ? strchr(close, ')') : NULL;

	if (!end || end >= s + len) {
		print_text(s, len);
	} else {
		print_text(s, open - s);
		print_text(open + 1, close - open - 1);
		print_text(end + 1, s + len - end - 1);
	}
	putchar('\n');
}

/* The part before the tables: a comment, headings, paragraphs, a list whose items continue on
 * indented lines. Its last heading, and the table below it, are about the types. */
static void print_head(void)
{
	bool list = false, blank = false, begun = false;

	for (const char *s = format_head; *s; s += strcspn(s, "\n") + 1) {
		size_t len = strcspn(s, "\n");

		if (!strncmp(s, "## ", 3))
			break;
		if (!len) {
			blank = true;
			continue;
		}
		if (*s == '<' || *s == '#')
			continue;
		if (!strncmp(s, "- ", 2)) {
			if (!list)
				puts(".Bl -bullet");
			list = true;
			puts(".It");
			s += 2;
			len -= 2;
		} else if (list && *s == ' ') {
			s += 2;
			len -= 2;
		} else if (blank && list) {
			puts(".El");
			list = false;
		} else if (blank && begun) {
			puts(".Pp");
		}
		blank = false;
		begun = true;
		print_roff_line(s, len);
	}
	if (list)
		puts(".El");
}

static void print_columns(const struct stream_schema *s)
{
	printf(".Ss %s\n", s->key);
	printf("%s.\nWall time: ", s->description);
	print_roff_line(s->wall_clock, strlen(s->wall_clock));
	puts(".Bl -tag -width Ds");
	for (size_t i = 0; i < s->n_columns; i++) {
		const struct column *c = &s->columns[i];

		printf(".It Va %s Pq %s%s%s\n", c->name, schema_type_names[c->type],
		       *c->unit ? ", " : "", c->unit);
		print_roff_line(c->description, strlen(c->description));
		if (c->words) {
			size_t len = strlen(c->words);

			while (len && c->words[len - 1] == ' ')
				len--;
			puts(".br");
			fputs("One of: ", stdout);
			print_roff_line(c->words, len);
		}
	}
	puts(".El");
}

void print_format_man(void)
{
	puts(".\\\" SPDX-License-Identifier: GPL-2.0-or-later\n"
	     ".\\\" Made by scripts/gen-man.c (make docs) from schema/: don't edit.\n"
	     ".Dd November 21, 2026\n"
	     ".Dt IOTRC-FORMAT 5\n"
	     ".Os\n"
	     ".Sh NAME\n"
	     ".Nm iotrc-format\n"
	     ".Nd what iotrc writes\n"
	     ".Sh DESCRIPTION");
	print_head();
	puts(".Sh TYPES\n.Bl -tag -width timestamp");
	for (int i = 0; i < COL_TYPES; i++) {
		if (!type_texts[i])
			continue;
		printf(".It %s\n", schema_type_names[i]);
		print_roff_line(type_texts[i], strlen(type_texts[i]));
	}
	puts(".El\n.Sh STREAMS");
	for (int i = 0; i < STREAM_COUNT; i++)
		print_columns(&schema_streams[i]);
	puts(".Sh SEE ALSO\n.Xr iotrc 1 ,\n.Xr zstd 1");
}
