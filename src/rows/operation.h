/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names of what records are about. */
#ifndef IOTRC_OPERATION_H
#define IOTRC_OPERATION_H

#include <stddef.h>

#include "schema/streams.h"

/* Returns the operation, event type or severity in a row of STREAM, a static string. OP is the
 * second byte of the record; for pagefault, whether the fault is major. NULL: there is none, or
 * (block) it depends on the machine that made the request. */
const char *operation__name(enum stream stream, unsigned int op);

/* Returns the operation of fs (enum fs_op) called NAME, which has LEN bytes, or -1. */
int operation__find(const char *name, size_t len);

#endif
