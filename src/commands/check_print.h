/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Prints the results of `iotrc check` for people. */
#ifndef IOTRC_CHECK_PRINT_H
#define IOTRC_CHECK_PRINT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#define CHECK_LINES_MAX 50 /* of a class */
#define CHECK_NAMES_MAX 8  /* in a line */
#define CHECK_MERGED_MIN 6 /* this many processes of one program become one entry */

/* Prints VERDICT about REPORT to OUT: a line that summarises it and, unless SUMMARY, each class by
 * process, directory and extension. */
void check_print(const json_t *report, const json_t *verdict, bool summary, FILE *out);

#endif
