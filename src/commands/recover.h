/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `iotrc recover`: completes sessions whose recorder was killed. */
#ifndef IOTRC_COMMAND_RECOVER_H
#define IOTRC_COMMAND_RECOVER_H

#include "options/command.h"

extern const struct command recover_command;

#endif
