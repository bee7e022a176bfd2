/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_FIGURES_STREAMS_H
#define IOTRC_FIGURES_STREAMS_H

#include "dataset/row_file.h"
#include "report/figures.h"

/* Count a row of a stream; FIELDS as report/columns.h lists them. They return 0, or -ENOMEM. */
int figures__fs(struct figures *t, const struct row_field *fields);
int figures__block(struct figures *t, const struct row_field *fields);
int figures__extent(struct figures *t, const struct row_field *fields);
int figures__conn(struct figures *t, const struct row_field *fields);
int figures__cache(struct figures *t, const struct row_field *fields);
int figures__pagefault(struct figures *t, const struct row_field *fields);
int figures__epoll(struct figures *t, const struct row_field *fields);
int figures__sockopt(struct figures *t, const struct row_field *fields);
int figures__drop(struct figures *t, const struct row_field *fields);
int figures__lost(struct figures *t, const struct row_field *fields);
int figures__process(struct figures *t, const struct row_field *fields);

#endif
