/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A declaration of what a command was seen to do. */
#ifndef IOTRC_CHECK_SHORTEN_H
#define IOTRC_CHECK_SHORTEN_H

#include <jansson.h>

/* The inputs and outputs of REPORT, which has `unread` (check_unread.h), as a declaration. One glob
 * stands for all files below a directory, or for all of one extension in it, where no other file of
 * the workspace is meant by that. NULL when memory is out. */
json_t *check__declaration_of(const json_t *report);

#endif
