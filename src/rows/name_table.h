/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a table of struct name is written: each number next to its name. */
#ifndef IOTRC_NAME_TABLE_H
#define IOTRC_NAME_TABLE_H

#include "platform/macros.h"

/* clang-format off */

/* A flag, a value of the field MASK, and a name for all bits. */
#define FLAG(n, name) { (n), (n), #name, sizeof(#name) - 1 }
#define FIELD(mask, n, name) { (mask), (n), #name, sizeof(#name) - 1 }
#define WORD(n, name) { UINT64_MAX, (n), #name, sizeof(#name) - 1 }

/* names_SET of SET_names[]. */
#define SET(set) \
	const struct name_set names_##set = { \
		.names = set##_names, \
		.n_names = ARRAY_SIZE(set##_names), \
	}

/* clang-format on */

#endif
