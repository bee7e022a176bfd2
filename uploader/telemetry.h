/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_TELEMETRY_H
#define IOTRC_TELEMETRY_H

#include <jansson.h>

/* Builds the JSON that --telemetry posts to a gateway at the end of a session, from its MANIFEST:
 * the duration, rows and lost rows per stream, versions of iotrc and the kernel, and the machine
 * id, which is part of every key. It contains no names and no command line. The caller frees it;
 * NULL if out of memory. */
json_t *telemetry__new(const json_t *manifest);

#endif
