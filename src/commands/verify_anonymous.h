/* SPDX-License-Identifier: GPL-2.0-or-later */
/* iotrc verify --anonymous: whether an anonymised dataset still contains clear names. */
#ifndef IOTRC_VERIFY_ANONYMOUS_H
#define IOTRC_VERIFY_ANONYMOUS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Searches every file in directory DIR and below for the strings of file AGAINST (may be NULL) and,
 * with LIVE, for names of this machine; prints a line for each find to OUT. Returns the number of
 * finds and of files that could not be searched; finding no session is one. */
uint64_t verify_anonymous__dir(const char *dir, const char *against, bool live, FILE *out);

#endif
