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
	bool general;                  /* any other session would fail for the same reason */
	char why[ADD_SESSION_WHY_MAX]; /* not escaped */
};

/* Publishes all rows of the finished files of R, and then the session's row in `sessions`; replaces
 * earlier files of the session. Checks first that the files are those that the manifest lists, and
 * that no row is missing. Returns 0, or a negative errno with RET->why; then nothing has been
 * published, unless publishing itself failed. */
int add_session(struct store *s, const struct session_reader *r, struct added_session *ret);

#endif
