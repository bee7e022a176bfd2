/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What gen-docs prints, but for the pages of docs/ themselves. Each prints one file to stdout. */
#ifndef IOTRC_GEN_DOCS_H
#define IOTRC_GEN_DOCS_H

#include <stdbool.h>
#include <stddef.h>

#include "schema/schema.h"

/* The text of docs/format.md before its tables, and what a field of each type is; both Markdown. */
extern const char format_head[];
extern const char *const type_texts[COL_TYPES]; /* NULL: no type of its own */

/* A line of Markdown as roff, with its line feed: what is `code` is bold, of a link the text is
 * left. */
void print_roff_line(const char *s, size_t len);

void print_format_man(void);
void print_conf_man(void);
/* PAGE, man/iotrc-COMMAND.1; false: there is no such command. */
bool print_command_man(const char *page);

void print_bash_completion(void);
void print_zsh_completion(void);
void print_fish_completion(void);

#endif
