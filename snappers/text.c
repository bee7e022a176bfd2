// SPDX-License-Identifier: GPL-2.0-or-later
#include "snappers/text.h"

char *text__wall(char *p, int64_t second, uint32_t ns, int32_t utc_offset_s)
{
	return clock__civil(second, ns, utc_offset_s, p) ? p + CLOCK_WALL_LEN : p;
}
