/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_SUMMARY_COMMAND_H
#define IOTRC_SUMMARY_COMMAND_H

#include "options/command.h"

extern const struct command summary_command;

#endif
