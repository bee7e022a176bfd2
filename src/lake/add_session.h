/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Adds a session to a lake. */
#ifndef IOTRC_ADD_SESSION_H
#define IOTRC_ADD_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "dataset/session_reader.h"
#include "lake/store.h"

#define ADD_SESSION_WHY_MAX STORE_WHY_MAX

struct added_session {
	uint64_t rows, files;          /* that were written */
	uint64_t lost;                 /* rows that the manifest says were lost */
	bool general;                  /* it failed for a reason that no other session escapes */
	char why[ADD_SESSION_WHY_MAX]; /* not escaped */
};

/* Writes all rows of the finished files of R, then what is known of the session. Checks before that
 * the files are those that the manifest states, and that all rows are in what is published. What
 * was there of the session is replaced. 0, or a negative errno with RET->why; nothing has been
 * published then, unless publishing itself failed; what is known of the session comes last. */
int add_session(struct store *s, const struct session_reader *r, struct added_session *ret);

#endif
