/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables of a page: the groups of a figures that matter most, with their names. */
#ifndef IOTRC_REPORT_DATA_TABLES_H
#define IOTRC_REPORT_DATA_TABLES_H

#include <jansson.h>
#include <stdint.h>

#include "dataset/session_reader.h"
#include "report/figures.h"
#include "report/names.h"

/* Where in the tables files and processes are. */
struct data_places;

/* The tables as one JSON object, and *RET_PLACES, which has to be freed. NULL: out of memory, and
 * then there are no places. */
json_t *data_tables__make(const struct session_reader *session, const struct figures *figures,
			  struct report_names *names, struct data_places **ret_places);

/* 1 + the row of the file whose name is NAME (sample__name()), or of the process PID; 0: it is in
 * no row. */
uint16_t data_places__file(const struct data_places *p, uint64_t name);
uint16_t data_places__process(const struct data_places *p, uint64_t pid);
/* Likewise of a disk: major << 20 | minor. */
uint8_t data_places__disk(const struct data_places *p, uint32_t device);

/* Frees it; NULL is allowed. Returns NULL. */
struct data_places *data_places__free(struct data_places *p);

#endif
