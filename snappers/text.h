/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fields of snapshot rows: readable text, or tokens if the session is anonymised. */
#ifndef IOTRC_SNAP_TEXT_H
#define IOTRC_SNAP_TEXT_H

#include <stdint.h>

#include "base/anonymize.h"
#include "base/clock.h"

/* Wall time NS since 1970 as a field; empty if it has no calendar date. */
char *text__wall(char *p, int64_t second, uint32_t ns, int32_t utc_offset_s);

#endif
