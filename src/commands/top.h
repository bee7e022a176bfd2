/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `iotrc top`: current activity, as a screen or as plain tables. */
#ifndef IOTRC_TOP_H
#define IOTRC_TOP_H

#include "options/command.h"

extern const struct command top_command;

#endif
