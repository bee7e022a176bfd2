/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A fast way to get the first fields of a row. */
#ifndef IOTRC_ROW_FIELDS_H
#define IOTRC_ROW_FIELDS_H

#include "dataset/row_file.h"

/* Finds the first N fields of LINE (LEN bytes), N <= ROW_FIELDS_MAX. Nothing is copied: a line with
 * quotes is changed in place. Returns the number of fields, at most N, or -1 if the line is not as
 * csv.h writes it. Ignores everything after field N. Reads up to ROW_FILE_SLACK bytes behind the
 * line, which may contain anything. */
int row_fields__first(char *line, size_t len, struct row_field *fields, int n);

#endif
