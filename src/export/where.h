/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Conditions on rows: "operation == 'read' and size > 4096". Comparisons (== != < <= > >=), in,
 * like (% any text, _ any character), not, and, or, brackets. No comparison is true for a column
 * that is empty, or that the row's stream lacks. */
#ifndef IOTRC_WHERE_H
#define IOTRC_WHERE_H

#include <stdbool.h>
#include <stdint.h>

#include "export/row.h"

#define WHERE_WHY_MAX 160

struct condition;

/* Parses TEXT as a condition on rows of STREAMS (1 << stream for each); each column in it must
 * belong to at least one of them. Returns 0, -ENOMEM, or -EINVAL with the reason in WHY. */
int where__new(struct condition **ret, const char *text, uint32_t streams, char why[WHERE_WHY_MAX]);
/* Frees it; NULL is allowed. Returns NULL. */
struct condition *where__free(struct condition *w);

/* Whether W is true for ROW. */
bool where__meets(const struct condition *w, const struct export_row *row);

#endif
