/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of files in reports: text, or, where that isn't UTF-8, an object whose base64 are the bytes
 * and whose path is a readable form. */
#ifndef IOTRC_RUN_NAME_H
#define IOTRC_RUN_NAME_H

#include <jansson.h>

/* PATH as such a name; NULL when memory is out. */
json_t *run_name__new(const char *path);

/* NAME as a person reads it: "" where it is no name. Borrowed from it. */
const char *run_name__text(const json_t *name);

#define RUN_COMMAND_MAX 120 /* bytes of a command in a line for people */

/* TEXT, a command: a long one loses its middle, as its end often says more. Returns BUF. */
const char *run_name__command(char buf[RUN_COMMAND_MAX + 6], const char *text);

/* The bytes of NAME, which the caller frees. NULL when it is no name, or memory is out. */
char *run_name__bytes(const json_t *name);

#endif
