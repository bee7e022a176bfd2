/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `iotrc upload`: sends sessions that are on this disk to a target. */
#ifndef IOTRC_COMMAND_UPLOAD_H
#define IOTRC_COMMAND_UPLOAD_H

#include "options/options.h"

/* Returns the exit code. */
int upload__run(const struct options *options);

/* `iotrc --reward`: prints the study's code once this machine has uploaded something. The exit
 * code. */
int upload__reward(const struct options *options);

#endif
