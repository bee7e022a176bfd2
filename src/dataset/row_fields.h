/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The first fields of a row, for those who need few and quickly. */
#ifndef IOTRC_ROW_FIELDS_H
#define IOTRC_ROW_FIELDS_H

#include "dataset/row_file.h"

/* Finds the first N fields of the LEN bytes of LINE, N <= ROW_FIELDS_MAX. Nothing is copied: only a
 * line with quotes is changed, in place. Returns how many there are, at most N, or -1: it isn't as
 * csv.h writes it. What is behind field N isn't looked at. Up to ROW_FILE_SLACK bytes behind the
 * line are read, whatever they are. */
int row_fields__first(char *line, size_t len, struct row_field *fields, int n);

#endif
