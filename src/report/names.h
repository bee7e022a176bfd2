/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names in a page: as recorded, or as tokens with a key that is not stored, so that the tokens of
 * two pages cannot be compared. */
#ifndef IOTRC_REPORT_NAMES_H
#define IOTRC_REPORT_NAMES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct report_names;

/* ANONYMOUS: names become tokens. Returns 0, or a negative errno. */
int report_names__new(struct report_names **ret, bool anonymous);
/* Frees it; NULL is allowed. Returns NULL. */
struct report_names *report_names__free(struct report_names *n);

/* Each converts LEN bytes of a field, escaped as in rows, to a new JSON string; NULL if out of
 * memory. A path may be two paths with ' -> ' between them; an address may be the path of a socket.
 * The middle of texts longer than 400 bytes is left out. */
json_t *report_names__path(struct report_names *n, const char *s, size_t len);
json_t *report_names__name(struct report_names *n, const char *s, size_t len);
json_t *report_names__arguments(struct report_names *n, const char *s, size_t len);
json_t *report_names__address(struct report_names *n, const char *s, size_t len);

#endif
