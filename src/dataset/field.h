/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks whether a field is a valid value of its column's type. It accepts exactly what
 * src/base/csv.h writes. */
#ifndef IOTRC_FIELD_H
#define IOTRC_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/schema.h"

/* NULL, or what is wrong with the field, without its CSV quotes, as a phrase ("no device"). */
const char *field__check(const struct column *column, const char *s, size_t len);

/* Parses decimal digits without leading zeros, 64 bits. */
bool field__uint(const char *s, size_t len, uint64_t *ret);

/* Parses an existing wall time into microseconds since 1970, as if it were UTC. */
bool field__wall(const char *s, size_t len, int64_t *ret_us);

/* The last wall time that was parsed. Zeroed: none. */
struct field_second {
	char text[20]; /* up to the decimal point */
	int64_t us;
};

/* Like field__wall(), and faster if the time is within the same second as LAST. */
bool field__wall_near(struct field_second *last, const char *s, size_t len, int64_t *ret_us);

#endif
