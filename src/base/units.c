// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/units.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/macros.h"

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

const char *units__time(char buf[UNITS_SIZE], double ns)
{
	static const char *const units[] = { "ns", "us", "ms", "s" };
	size_t i = 0;

	while (i < 3 && ns >= 999.5) {
		ns /= 1000;
		i++;
	}
	snprintf(buf, UNITS_SIZE, "%.*f%s",
		 !i || ns >= 99.95 ? 0 :
		 ns >= 9.995       ? 1 :
				     2,
		 ns, units[i]);
	return buf;
}

const char *units__whole(char buf[UNITS_WHOLE_SIZE], uint64_t n)
{
	char digits[21];
	size_t len = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, n), at = 0;

	for (size_t i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			buf[at++] = ',';
		buf[at++] = digits[i];
	}
	buf[at] = 0;
	return buf;
}

int units__parse_time(const char *text, uint64_t *ret_ns)
{
	static const struct {
		const char *unit;
		long double ns;
	} units[] = {
		{ "us", 1e3L }, { "ms", 1e6L },   { "s", 1e9L },
		{ "m", 60e9L }, { "h", 3600e9L }, { "d", 86400e9L },
	};
	size_t len = strspn(text, "0123456789.");
	char *end;
	long double n;

	if (!len || len > 32)
		return -1;
	n = strtold(text, &end);
	if (end != text + len)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (!strcmp(end, units[i].unit)) {
			n *= units[i].ns;
			if (n < 1 || n >= INT64_MAX)
				return -1;
			*ret_ns = (uint64_t)n;
			return 0;
		}
	return -1;
}

int units__parse_number(const char *text, unsigned long max, unsigned long *ret)
{
	unsigned long n;
	char *end;

	if (*text < '0' || *text > '9')
		return -1;
	n = strtoul(text, &end, 10);
	if (*end || n > max)
		return -1;
	*ret = n;
	return 0;
}
