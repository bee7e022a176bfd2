/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_RECORDING_OPTIONS_H
#define IOTRC_RECORDING_OPTIONS_H

#include "options/command.h"

/* Recording itself is the command without a name. */
extern const struct command record_command, dev_command, upload_command;

#endif
