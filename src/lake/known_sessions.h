/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which sessions a lake has. */
#ifndef IOTRC_KNOWN_SESSIONS_H
#define IOTRC_KNOWN_SESSIONS_H

#include <stdbool.h>

#include "dataset/session_reader.h"
#include "lake/entries.h"
#include "lake/store.h"

/* Adds MACHINE/SESSION of each to RET, sorted. 0, or a negative errno with a line in WHY. */
int known_sessions__read(struct store *s, struct entries *ret, char why[STORE_WHY_MAX]);

/* Whether the session of R is one of KNOWN, by its manifest. */
bool known_sessions__has(struct entries *known, const struct session_reader *r);

#endif
