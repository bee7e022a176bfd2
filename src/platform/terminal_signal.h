/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_TERMINAL_SIGNAL_H
#define IOTRC_TERMINAL_SIGNAL_H

#include <signal.h>
#include <stdbool.h>

/* In a handler: whether the terminal has sent the signal, which all processes of the foreground
 * have got then. On macOS a signal doesn't say who sent it: true if we are in the foreground. */
bool terminal_signal__is(const siginfo_t *info);

#endif
