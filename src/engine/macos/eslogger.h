/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of eslogger, for the engine and for tests. */
#ifndef IOTRC_MACOS_ESLOGGER_H
#define IOTRC_MACOS_ESLOGGER_H

#include "engine/macos/state.h"

/* Takes in a line of its output: the calls that it tells of are queued. False: it is not
 * understood. */
bool eslogger__read(struct source *s, char *text, size_t len);
/* Turns a queued call into events. False: it is not understood. */
bool eslogger__take(struct source *s, const struct call_line *l);

#endif
