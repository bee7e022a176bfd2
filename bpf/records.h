/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* For includers that don't tell the two contracts apart yet. */
#include "abi.h"
