/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SQL that makes a lake's files available as tables of a query engine: a view for each stream, and
 * one for `sessions`. */
#ifndef IOTRC_VIEWS_H
#define IOTRC_VIEWS_H

#include <stdio.h>

#include "lake/store.h"

/* Names of engines, separated by blanks. */
#define VIEWS_ENGINES "duckdb clickhouse clickhouse-cluster clickhouse-table spark trino"

/* Writes the statements for ENGINE to OUT; the lake S is at URL. Returns 0, or a negative errno
 * with a line in WHY: -ENOENT if ENGINE is not known. */
int views__write(struct store *s, const char *url, const char *engine, FILE *out,
		 char why[STORE_WHY_MAX]);

#endif
