/* SPDX-License-Identifier: GPL-2.0-or-later */
/* iotrc verify: whether a dataset is what its manifests say. */
#ifndef IOTRC_VERIFY_H
#define IOTRC_VERIFY_H

#include <stdint.h>
#include <stdio.h>

#include "options/command.h"

extern const struct command verify_command;

/* Verifies the session in directory DIR, or all sessions below it; prints a line for each fault and
 * each session to OUT. Returns the number of faults; finding no session is one. */
uint64_t verify__dir(const char *dir, FILE *out);

#endif
