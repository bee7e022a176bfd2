/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why this kernel drops packets: the names of the numbers in nw_drop's drop_reason, which move from
 * kernel to kernel, from its BTF. */
#ifndef IOTRC_DROP_REASONS_H
#define IOTRC_DROP_REASONS_H

#include <jansson.h>

/* { "2": "NOT_SPECIFIED", ... }, to be released by the caller; empty on kernels that give no
 * reasons (before 5.17), NULL without memory. */
json_t *drop_reasons__read(void);

#endif
