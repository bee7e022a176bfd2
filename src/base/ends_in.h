/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IOTRC_ENDS_IN_H
#define IOTRC_ENDS_IN_H

#include <stdbool.h>
#include <string.h>

/* Whether NAME ends in END, or is END. */
static inline bool ends_in(const char *name, const char *end)
{
	size_t len = strlen(name), n = strlen(end);

	return len >= n && !strcmp(name + len - n, end);
}

#endif
