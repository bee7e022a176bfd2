/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What gen-docs prints, but for the pages of docs/ themselves. Each prints one file to stdout. */
#ifndef IOTRC_GEN_DOCS_H
#define IOTRC_GEN_DOCS_H

#include <stddef.h>

#include "schema/schema.h"

/* The text of docs/format.md before its tables, and what a field of each type is; both Markdown. */
extern const char format_head[];
extern const char *const type_texts[COL_TYPES]; /* NULL: no type of its own */

/* A line of Markdown as roff, with its line feed: what is `code` is bold, of a link the text is left. */
void print_roff_line(const char *s, size_t len);

void print_format_man(void);
void print_conf_man(void);
void print_doctor_man(void);
void print_recover_man(void);
void print_upload_man(void);
void print_verify_man(void);

void print_bash_completion(void);
void print_zsh_completion(void);
void print_fish_completion(void);

#endif
