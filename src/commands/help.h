/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `iotrc help [COMMAND]`: prints the --help of a command, or iotrc's own. */
#ifndef IOTRC_HELP_H
#define IOTRC_HELP_H

#include "options/command.h"

extern const struct command help_command;

#endif
