/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Results of `iotrc check` in the formats of build systems. */
#ifndef IOTRC_CHECK_ADAPTERS_H
#define IOTRC_CHECK_ADAPTERS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* Each returns 0, or a negative errno of writing to OUT; -EILSEQ if the format cannot represent a
 * name with a line feed, or with certain characters in make's case. */

/* Writes the files that REPORT lists as read or executed, one per line; NUL: each ends with a NUL
 * instead. */
int check__write_reads(const json_t *report, bool nul, FILE *out);

/* Writes the unused inputs of VERDICT in the same form: Bazel's unused_inputs_list. */
int check__write_unused(const json_t *verdict, bool nul, FILE *out);

/* Writes a rule of make: the files written depend on the files read. */
int check__write_depfile(const json_t *report, FILE *out);

#endif
