/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_FIGURES_ROWS_H
#define IOTRC_FIGURES_ROWS_H

#include "dataset/row_file.h"
#include "report/figures.h"
#include "schema/streams.h"

/* Adds a row; FIELDS are as many as the columns of STREAM's schema. A field that should be a number
 * but is not counts as empty. Returns 0, or -ENOMEM. */
int figures__row(struct figures *t, enum stream stream, const struct row_field *fields);

#endif
