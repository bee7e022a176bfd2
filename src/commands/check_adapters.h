/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `iotrc check` found, as build systems read it. */
#ifndef IOTRC_CHECK_ADAPTERS_H
#define IOTRC_CHECK_ADAPTERS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* Each returns 0, or a negative errno of writing to OUT: -EILSEQ where its form can't hold a name:
 * one with a line feed, or with some of make's characters. */

/* The files that REPORT says were read or executed, one a line; NUL: each ends with a NUL. */
int check__write_reads(const json_t *report, bool nul, FILE *out);

/* The unused inputs of VERDICT, likewise: Bazel's unused_inputs_list. */
int check__write_unused(const json_t *verdict, bool nul, FILE *out);

/* A rule of make: the files written depend on those read. */
int check__write_depfile(const json_t *report, FILE *out);

#endif
