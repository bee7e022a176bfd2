/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `iotrc check` tells a person. */
#ifndef IOTRC_CHECK_PRINT_H
#define IOTRC_CHECK_PRINT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#define CHECK_LINES_MAX 50 /* of a class */
#define CHECK_NAMES_MAX 8  /* in a line */
#define CHECK_MERGED_MIN 6 /* processes of a program from which on they are told as one */

/* Prints VERDICT about REPORT to OUT: a line that says it all, and unless SUMMARY each class, by
 * process, directory and extension. */
void check_print(const json_t *report, const json_t *verdict, bool summary, FILE *out);

#endif
