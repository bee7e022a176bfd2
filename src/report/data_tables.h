/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables of a page: the most important groups of a figures, with their names. */
#ifndef IOTRC_REPORT_DATA_TABLES_H
#define IOTRC_REPORT_DATA_TABLES_H

#include <jansson.h>
#include <stdint.h>

#include "dataset/session_reader.h"
#include "report/figures.h"
#include "report/names.h"

/* The rows of files and processes in the tables. */
struct data_places;

/* Returns the tables as a JSON object, and *RET_PLACES, to be freed by the caller. NULL: out of
 * memory; there are no places then. */
json_t *data_tables__make(const struct session_reader *session, const struct figures *figures,
			  struct report_names *names, struct data_places **ret_places);

/* Returns 1 + the row of the file with NAME (sample__name()), or of process PID; 0: it is in no
 * row. */
uint16_t data_places__file(const struct data_places *p, uint64_t name);
uint16_t data_places__process(const struct data_places *p, uint64_t pid);
/* The same for a disk: major << 20 | minor. */
uint8_t data_places__disk(const struct data_places *p, uint32_t device);

/* Frees it; NULL is allowed. Returns NULL. */
struct data_places *data_places__free(struct data_places *p);

#endif
