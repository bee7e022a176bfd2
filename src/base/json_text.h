/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_JSON_TEXT_H
#define IOTRC_JSON_TEXT_H

#include <jansson.h>

/* S as a JSON string. Names and command lines may hold any bytes, JSON only UTF-8: one that isn't
 * is escaped as rows are. NULL when memory is out. */
json_t *json_text(const char *s);

/* JSON that may be anybody's: what takes more memory than 64 MiB and 4 million values is refused,
 * and so is what isn't an object or has a key twice. 0, or a negative errno, and WHY says it in
 * words, escaped. */
#define JSON_WHY_MAX 256
int json_text__parse(const char *text, size_t len, json_t **ret, char why[JSON_WHY_MAX]);

/* The same of the file that FD is, from its start: -EBADMSG when it is no regular one. */
int json_text__read(int fd, json_t **ret, char why[JSON_WHY_MAX]);

#endif
