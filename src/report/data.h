/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The content of a page as JSON, described in docs/report.md. */
#ifndef IOTRC_REPORT_DATA_H
#define IOTRC_REPORT_DATA_H

#include <jansson.h>

#include "dataset/session_reader.h"
#include "report/feed.h"
#include "report/figures.h"
#include "report/names.h"

/* Maximum number of rows of a table. */
#define DATA_TABLE_MAX 400

struct data_config {
	const struct session_reader *session;
	const char *path;        /* of the session; for people */
	struct figures *figures; /* its samples are reduced and sorted */
	const struct feed_result *feed;
	json_t *faults; /* strings: files that could not be read. Borrowed */
	bool anonymous, live;
	unsigned int sample_divisor; /* 1, or a factor by which samples are reduced */
};

/* Returns the data, or NULL if out of memory. */
json_t *data__make(const struct data_config *config);

#endif
