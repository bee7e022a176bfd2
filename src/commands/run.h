/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_RUN_H
#define IOTRC_RUN_H

#include "options/command.h"

extern const struct command run_command;

#endif
