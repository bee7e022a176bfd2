/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_TERMINAL_SIGNAL_H
#define IOTRC_TERMINAL_SIGNAL_H

#include <signal.h>
#include <stdbool.h>

/* In a handler: whether the terminal sent the signal. Then all processes of the foreground got it.
 * On macOS a signal does not show its sender: returns true if we are in the foreground. */
bool terminal_signal__is(const siginfo_t *info);

#endif
