// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/units.h"

#include <stdio.h>

static const char *scale(char buf[UNITS_SIZE], double n, double step, const char *suffixes)
{
	size_t i = 0;

	while (n >= step - 0.5 && suffixes[i + 1]) {
		n /= step;
		i++;
	}
	if (!i)
		snprintf(buf, UNITS_SIZE, "%.0f", n);
	else
		snprintf(buf, UNITS_SIZE, "%.*f%c", n < 99.95, n, suffixes[i]);
	return buf;
}

const char *units__bytes(char buf[UNITS_SIZE], double n)
{
	return scale(buf, n, 1024, " KMGT");
}

const char *units__count(char buf[UNITS_SIZE], double n)
{
	return scale(buf, n, 1000, " kMGT");
}
