/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of a block request's operation and flags. Their numbers move between kernels, so they are
 * read from the running kernel's BTF (enum req_op, enum req_flag_bits). */
#ifndef IOTRC_REQNAMES_H
#define IOTRC_REQNAMES_H

#include <stddef.h>
#include <stdint.h>

#define REQNAMES_BITS 32
#define REQNAMES_OPS 256

struct reqnames {
	char ops[REQNAMES_OPS][24]; /* without REQ_OP_; "" where there is none */
	char ops_lower[REQNAMES_OPS][24];
	char flags[REQNAMES_BITS][24]; /* without REQ_ */
	char flags_lower[REQNAMES_BITS][24];
};

/* 0, or a negative errno: -ENOENT where the kernel's BTF doesn't have them. */
int reqnames__new(struct reqnames **ret);
struct reqnames *reqnames__free(struct reqnames *r);

#endif
