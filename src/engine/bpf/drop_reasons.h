/* SPDX-License-Identifier: GPL-2.0-or-later */
/* This kernel's reasons for dropping packets: names of the numbers in nw_drop's drop_reason, which
 * differ between kernels, from its BTF. */
#ifndef IOTRC_DROP_REASONS_H
#define IOTRC_DROP_REASONS_H

#include <jansson.h>

/* Returns { "2": "NOT_SPECIFIED", ... }, to be released by the caller; empty for kernels without
 * reasons (before 5.17), NULL if out of memory. */
json_t *drop_reasons__read(void);

#endif
