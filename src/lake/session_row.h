/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows about a session in `sessions`, one for each of its streams. */
#ifndef IOTRC_SESSION_ROW_H
#define IOTRC_SESSION_ROW_H

#include <stdint.h>
#include <stdio.h>

#include "dataset/session_reader.h"
#include "lake/view_type.h"

/* Writes SELECT ... UNION ALL SELECT ...: one row for each stream that the manifest lists. */
void session_row__select(FILE *sql, const struct session_reader *r);

/* Returns the name of column I and gets its type; NULL: there are no more. */
const char *session_row__column(size_t i, enum view_type *ret);

/* Gets the day (since 1970, UTC) on which the session began. 0, or -EBADMSG. */
int session_row__day(const struct session_reader *r, int64_t *ret);

/* Returns the name of the session: the last part of the manifest's session_id; "" if there is
 * none. */
const char *session_row__name(const struct session_reader *r);

/* Returns the number of lost rows of STREAM, of all causes; at least this many were lost. */
uint64_t session_row__lost(const struct session_reader *r, enum stream stream);

#endif
