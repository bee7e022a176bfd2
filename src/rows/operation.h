/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words for what records are about. */
#ifndef IOTRC_OPERATION_H
#define IOTRC_OPERATION_H

#include <stddef.h>

#include "schema/streams.h"

/* What a row of STREAM has as its operation, event type or severity, static. OP is the second byte
 * of its record; of pagefault, whether the fault is major. NULL: there is no such one, or, of
 * block, only the machine that has requested it knows. */
const char *operation__name(enum stream stream, unsigned int op);

/* The operation of fs (enum fs_op) that is called by the LEN bytes of NAME, or -1. */
int operation__find(const char *name, size_t len);

#endif
