/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_EXPORT_H
#define IOTRC_EXPORT_H

#include "options/command.h"

extern const struct command export_command, cat_command;

#endif
