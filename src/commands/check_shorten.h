/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Generates a declaration from the report of a run. */
#ifndef IOTRC_CHECK_SHORTEN_H
#define IOTRC_CHECK_SHORTEN_H

#include <jansson.h>

/* Returns the inputs and outputs of REPORT, which has `unread` (check_unread.h), as a declaration.
 * One glob replaces all files below a directory, or all of one extension in it, if it matches no
 * other file of the workspace. Returns NULL if out of memory. */
json_t *check__declaration_of(const json_t *report);

#endif
