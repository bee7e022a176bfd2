/* SPDX-License-Identifier: GPL-2.0-or-later */
/* iotrc verify --anonymous: is anything in an anonymised dataset still clear? */
#ifndef IOTRC_VERIFY_ANONYMOUS_H
#define IOTRC_VERIFY_ANONYMOUS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Searches every file in directory DIR and below for the strings of file AGAINST (may be NULL) and,
 * with LIVE, for what names this machine; a line for each find goes to OUT. Returns the number of
 * finds and of what couldn't be searched; no session at all is one. */
uint64_t verify_anonymous__dir(const char *dir, const char *against, bool live, FILE *out);

#endif
