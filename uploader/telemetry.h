/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_TELEMETRY_H
#define IOTRC_TELEMETRY_H

#include <jansson.h>

/* What --telemetry tells a gateway of a session that is over, from its MANIFEST: how long it ran
 * and how many rows each stream has and has lost, which iotrc on which kernel, and the machine's id
 * that is in every key. No name of anything, nor the command line. NULL where there is no
 * memory. */
json_t *telemetry__new(const json_t *manifest);

#endif
