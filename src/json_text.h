/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IOTRC_JSON_TEXT_H
#define IOTRC_JSON_TEXT_H

#include <jansson.h>

/* S as a JSON string. Names and command lines may hold any bytes, JSON only UTF-8: one that isn't is
 * escaped as rows are. NULL when memory is out. */
json_t *json_text(const char *s);

#endif
