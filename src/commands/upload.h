/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `iotrc upload`: sends local sessions to a target. */
#ifndef IOTRC_COMMAND_UPLOAD_H
#define IOTRC_COMMAND_UPLOAD_H

#include "options/options.h"

/* Returns the exit code. */
int upload__run(const struct options *options);

/* `iotrc --reward`: prints the study's code if this machine has uploaded something. Returns the
 * exit code. */
int upload__reward(const struct options *options);

#endif
