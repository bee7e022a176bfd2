/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of eslogger, for the engine and for tests. */
#ifndef IOTRC_MACOS_ESLOGGER_H
#define IOTRC_MACOS_ESLOGGER_H

#include "engine/macos/state.h"

/* Parses a line of its output and queues the calls in it. Returns false if it does not understand
 * the line. */
bool eslogger__read(struct source *s, char *text, size_t len);
/* Turns a queued call into events. Returns false if it does not understand the call. */
bool eslogger__take(struct source *s, const struct call_line *l);

#endif
