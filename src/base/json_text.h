/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_JSON_TEXT_H
#define IOTRC_JSON_TEXT_H

#include <jansson.h>
#include <stdbool.h>

/* Has jansson's allocations noticed. Called once, before any other thread begins. */
void json_text__begin(void);

/* Whether a value could not be made for lack of memory since the program began. jansson leaves it
 * out of what it is part of: to be asked before JSON is written. */
bool json_text__lacks_memory(void);

/* Returns S as a JSON string, or NULL if out of memory. JSON strings are UTF-8: other bytes, which
 * names and command lines may contain, are escaped as in rows. */
json_t *json_text(const char *s);

/* Prints VALUE and a line feed to stdout, with jansson's FLAGS. For a terminal, text in it is
 * escaped as in base/shown.h. */
void json_text__print(const json_t *value, size_t flags);

/* Parses JSON from an untrusted source: it refuses input that would take more than 64 MiB of memory
 * or 4 million values, is not an object, or has a duplicate key. Returns 0, -ENOMEM, or another
 * negative errno; WHY then contains the reason as printable text. */
#define JSON_WHY_MAX 256
int json_text__parse(const char *text, size_t len, json_t **ret, char why[JSON_WHY_MAX]);

/* The same for the contents of file FD from its start; -EBADMSG if FD is not a regular file. */
int json_text__read(int fd, json_t **ret, char why[JSON_WHY_MAX]);

/* Parses LEN bytes of JSON from an untrusted source: any value. Returns NULL if it is no JSON, may
 * be more than MOST values, or finds no memory. */
json_t *json_text__value(const char *text, size_t len, size_t most);

/* The same for the contents of file FD from its start; NULL also if FD is not a regular file, or is
 * longer than SIZE bytes. */
json_t *json_text__read_value(int fd, size_t size, size_t most);

#endif
