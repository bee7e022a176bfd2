/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a page shows, as JSON: docs/report.md describes it. */
#ifndef IOTRC_REPORT_DATA_H
#define IOTRC_REPORT_DATA_H

#include <jansson.h>

#include "dataset/session_reader.h"
#include "report/feed.h"
#include "report/figures.h"
#include "report/names.h"

/* Rows of the tables, at most. */
#define DATA_TABLE_MAX 400

struct data_config {
	const struct session_reader *session;
	const char *path;        /* of the session; for people */
	struct figures *figures; /* its samples are cut and put in order */
	const struct feed_result *feed;
	json_t *faults; /* strings: what could not be read. Borrowed */
	bool anonymous, live;
	unsigned int sample_divisor; /* 1, or so many times fewer rows in the samples */
};

/* The data, or NULL: out of memory. */
json_t *data__make(const struct data_config *config);

#endif
