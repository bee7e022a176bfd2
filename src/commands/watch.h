/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `iotrc watch`: rows as lines, live or of a session. */
#ifndef IOTRC_WATCH_H
#define IOTRC_WATCH_H

#include "options/command.h"

extern const struct command watch_command;

#endif
