/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What C lacks. */
#ifndef IOTRC_MACROS_H
#define IOTRC_MACROS_H

#include <stdint.h>

/* Number of elements of ARRAY, which must not be a pointer. */
#define ARRAY_SIZE(array) (sizeof(array) / sizeof(*(array)))

#define NSEC_PER_SEC UINT64_C(1000000000)
#define NSEC_PER_MSEC UINT64_C(1000000)

#endif
