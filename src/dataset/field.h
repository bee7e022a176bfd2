/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Does a field hold what its column's type allows? The reading side of src/base/csv.h, made to
 * refuse whatever that wouldn't have written. */
#ifndef IOTRC_FIELD_H
#define IOTRC_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/schema.h"

/* NULL, or what is wrong with the field, without its CSV quotes, as a phrase ("no device"). */
const char *field__check(const struct column *column, const char *s, size_t len);

/* Decimal digits, no superfluous zero, 64 bits. */
bool field__uint(const char *s, size_t len, uint64_t *ret);

/* A wall time that exists, as the microseconds since 1970 that it would be in UTC. */
bool field__wall(const char *s, size_t len, int64_t *ret_us);

#endif
