/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A line of the scripts in dtrace/, whose README describes it. The input is untrusted. */
#ifndef IOTRC_DTRACE_LINE_H
#define IOTRC_DTRACE_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/macos/call_line.h"

/* Parses S, LEN bytes without the line feed; texts are unescaped in place. Returns false if it is
 * not a valid line; S may have changed nevertheless. */
bool dtrace_line__parse(struct call_line *ret, char *s, size_t len);

#endif
