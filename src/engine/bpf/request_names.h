/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of a block request's operation and flags, from this kernel's BTF (enum req_op, enum
 * req_flag_bits). */
#ifndef IOTRC_REQUEST_NAMES_H
#define IOTRC_REQUEST_NAMES_H

#include "rows/reqnames.h"

struct btf;

/* Fills RET, which must be zeroed. Returns 0, or -ENOENT if the kernel's BTF lacks them. */
int request_names__read(struct reqnames *ret, const struct btf *btf);

#endif
