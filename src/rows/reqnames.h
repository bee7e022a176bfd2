/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of the operation and flags of a block request. Their numbers differ between kernels; the
 * engine knows them. */
#ifndef IOTRC_REQNAMES_H
#define IOTRC_REQNAMES_H

#define REQNAMES_BITS 32
#define REQNAMES_OPS 256
#define REQNAMES_BYTES 24 /* of a name, NUL included */

struct reqnames {
	char ops[REQNAMES_OPS][REQNAMES_BYTES]; /* without REQ_OP_; "" if there is none */
	char ops_lower[REQNAMES_OPS][REQNAMES_BYTES];
	char flags[REQNAMES_BITS][REQNAMES_BYTES]; /* without REQ_ */
	char flags_lower[REQNAMES_BITS][REQNAMES_BYTES];
};

#endif
