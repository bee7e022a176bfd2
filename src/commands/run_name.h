/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of files in reports: a string, or, if the name is not UTF-8, an object with its bytes as
 * base64 and a readable path. */
#ifndef IOTRC_RUN_NAME_H
#define IOTRC_RUN_NAME_H

#include <jansson.h>

/* Returns PATH as such a name; NULL if out of memory. */
json_t *run_name__new(const char *path);

/* Returns NAME for people; "" if it is not a name. Borrowed from NAME. */
const char *run_name__text(const json_t *name);

#define RUN_COMMAND_MAX 120 /* bytes of a command in a line for people */

/* Shortens TEXT, a command: a long one loses its middle, because its end is often more informative.
 * Returns BUF. */
const char *run_name__command(char buf[RUN_COMMAND_MAX + 6], const char *text);

/* Returns the bytes of NAME, to be freed by the caller; NULL if it is not a name, or out of
 * memory. */
char *run_name__bytes(const json_t *name);

#endif
