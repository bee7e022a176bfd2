/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_CHECK_H
#define IOTRC_CHECK_H

#include "options/command.h"

extern const struct command check_command;

#endif
