/* SPDX-License-Identifier: GPL-2.0-or-later */
/* iotrc verify: is a dataset what its manifests say it is? */
#ifndef IOTRC_VERIFY_H
#define IOTRC_VERIFY_H

#include <stdint.h>
#include <stdio.h>

#include "options/command.h"

extern const struct command verify_command;

/* Verifies the session in directory DIR, or all sessions below it; a line for each fault and one
 * for each session go to OUT. Returns the number of faults; no session at all is one. */
uint64_t verify__dir(const char *dir, FILE *out);

#endif
