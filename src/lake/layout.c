// SPDX-License-Identifier: GPL-2.0-or-later
#include "lake/layout.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define DAY_S 86400

void lake_layout__date(char ret[LAKE_DATE_SIZE], int64_t day)
{
	time_t t = day * DAY_S;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || !strftime(ret, LAKE_DATE_SIZE, "%Y-%m-%d", &tm))
		*ret = 0;
}

bool lake_layout__day(const char *date, int64_t *ret)
{
	char again[LAKE_DATE_SIZE];
	struct tm tm = { 0 };

	if (strlen(date) != 10 ||
	    sscanf(date, "%4d-%2d-%2d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday) != 3)
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	*ret = timegm(&tm) / DAY_S;
	lake_layout__date(again, *ret); /* of 31 February it is another day */
	return !strcmp(again, date);
}

bool lake_layout__is_id(const char *id)
{
	size_t len = strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");

	return len && !id[len] && len < LAKE_PART_MAX / 2;
}

void lake_layout__name(char ret[STORE_NAME_MAX], const char *stream, int64_t day,
		       const char *machine, const char *session, unsigned int n)
{
	char date[LAKE_DATE_SIZE], number[16] = "";

	lake_layout__date(date, day);
	if (n)
		snprintf(number, sizeof(number), "-%u", n);
	snprintf(ret, STORE_NAME_MAX, LAKE_TOP "stream=%s/date=%s/machine=%s/%s%s.parquet", stream,
		 date, machine, session, number);
}

/* Copies the part of NAME that begins with KEY and ends before a slash. Returns what follows. */
static const char *part(const char *name, const char *key, char ret[LAKE_PART_MAX])
{
	size_t skip = strlen(key), len;

	if (!name || strncmp(name, key, skip))
		return NULL;
	name += skip;
	len = strcspn(name, "/");
	if (name[len] != '/' || len >= LAKE_PART_MAX)
		return NULL;
	memcpy(ret, name, len);
	ret[len] = 0;
	return name + len + 1;
}

bool lake_layout__parse(const char *name, struct lake_name *ret)
{
	static const char end[] = ".parquet";
	char date[LAKE_PART_MAX], *number;
	size_t len;

	name = part(name, LAKE_TOP "stream=", ret->stream);
	name = part(name, "date=", date);
	name = part(name, "machine=", ret->machine);
	if (!name || !lake_layout__day(date, &ret->day))
		return false;
	len = strlen(name);
	if (len < sizeof(end) || len - sizeof(end) + 1 >= LAKE_PART_MAX ||
	    strcmp(name + len - sizeof(end) + 1, end))
		return false;
	len -= sizeof(end) - 1;
	memcpy(ret->session, name, len);
	ret->session[len] = 0;
	number = strrchr(ret->session, '-');
	if (number && strcmp(ret->stream, LAKE_SESSIONS))
		*number = 0;
	return lake_layout__is_id(ret->machine) && lake_layout__is_id(ret->session);
}

void lake_layout__key(const struct lake_name *name, char ret[LAKE_KEY_MAX])
{
	snprintf(ret, LAKE_KEY_MAX, "%s/%s", name->machine, name->session);
}
